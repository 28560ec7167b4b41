"""``python -m iskp``."""

from iskp.cli import main

main()
