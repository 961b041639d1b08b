"""What strangers see: claims, the published page and card, and the check of all of it.

Imports every room below; nothing imports it but the doors.
"""
