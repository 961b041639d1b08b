"""From a bundle to a service: answers, capture, monitoring, rollout, drills.

Imports evaluation and the rooms below it; pages are drawn above.
"""
