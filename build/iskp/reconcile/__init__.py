"""Reconciliation: from what sources say, and what we decided, to the records that we hold to be true."""
