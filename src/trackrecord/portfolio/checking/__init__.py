"""The checks behind ``trackrecord verify``, one idea a file.

Each takes what was read of a published folder and returns findings; none trusts what it reads, and
none raises for it.
"""
