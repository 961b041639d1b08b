"""Statistics: columns in, values with intervals out. Knows no case, no file and no data frame.

Imports errors only; numpy and scipy.special load with the modules that need them.
"""
