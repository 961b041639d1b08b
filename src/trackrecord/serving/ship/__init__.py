"""From a registered model to files that deploy it: image, compose, CI, Kubernetes, alerts, runbook.

All of them are made from one frozen ``Shipment``; nothing here runs a container or uses a network.
"""
