"""A real OAuth 2.0 server for the tests: Django with django-oauth-toolkit, run by gunicorn over TLS."""
