"""The second opinion: frictionless validates the descriptor and the CSV files, in a process of its own.

An independent validator finds what ours may overlook. It needs as long as everything else in a build, so it runs
beside the other checks: the process starts early and imports frictionless while the caller still works, is asked
once with the path of a descriptor, and answers with problems. It is a new process and not a fork, since pyarrow's
threads do not live through one.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from iskp.problem import Problem

MODULE = "iskp.package.frictionless_check"


class SecondOpinion:
    """A process that waits for one question: enter, :meth:`ask`, do other work, then take the :meth:`answer`.

    Leaving the context ends the process, asked or not.
    """

    def __enter__(self) -> Self:
        """Start the process; it imports frictionless while the caller goes on."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, "-m", MODULE], stdin=pipe, stdout=pipe, stderr=pipe)
        return self

    def ask(self, descriptor: Path) -> None:
        """Hand over the path of a descriptor; the files must stay in place until the answer."""
        question = json.dumps(str(descriptor.resolve())) + "\n"
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(question.encode())
                self._process.stdin.flush()

    def answer(self) -> list[Problem]:
        """Wait for the problems that frictionless found; a process that broke down is a problem as well."""
        answered, complaint = self._process.communicate()
        if self._process.returncode != 0:
            last = (complaint.decode().strip().splitlines() or [f"exit status {self._process.returncode}"])[-1]
            what = f"frictionless could not finish: {last}"
            return [Problem("datapackage.json", 0, what, "see that frictionless works here", "frictionless")]
        return [Problem(**found) for found in json.loads(answered)]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
