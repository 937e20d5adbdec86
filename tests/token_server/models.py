from django.db import models
from oauth2_provider.models import AbstractApplication


class Application(AbstractApplication):
    """django-oauth-toolkit gives every client every scope; this one can have its own."""

    allowed_scopes = models.TextField(default="read write")
