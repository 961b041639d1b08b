"""From a bundle to a service: answers, capture, monitoring, rollout, drills."""
