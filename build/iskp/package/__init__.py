"""Reading, writing and checking tabular data packages; knows nothing of where the tables come from."""
