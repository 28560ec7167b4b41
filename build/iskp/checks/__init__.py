"""Checks of the tables as a whole, before anything is written."""
