"""The start page of the demonstration."""

from flask import Blueprint

blueprint = Blueprint("start", __name__)
