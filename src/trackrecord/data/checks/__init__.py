"""What can be wrong with a case before any training: one small file for each part of it."""
