"""Drivers over the form engines that clients run, to fill forms as a collaborator's phone does."""
