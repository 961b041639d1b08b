"""Breaking a copy of the service on purpose: how soon is it seen, and how soon is it well again?"""
