"""Coding: from sheets, which people write, to claims; knows nothing of files of the package."""
