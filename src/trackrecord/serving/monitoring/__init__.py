"""How a served model fares: windows of what it answered, against what it was made of."""
