"""OpenRosa: what ODK Collect, Enketo and all that speak it ask of a server, in front of the same use case."""
