"""ODK Collect against the server: headers and bodies, lists, submissions with their files."""
