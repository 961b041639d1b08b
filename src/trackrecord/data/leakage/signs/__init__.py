"""The audit's detectors: one small file each, registered by a decorator with its kind of leak."""
