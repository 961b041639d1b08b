"""The Open Inference Protocol, version 2, over HTTP: metadata, health, inference, binary tensors.

It may import what serves – ``service`` and below – and is imported by ``app`` alone.
"""
