"""Django settings. What a test can vary comes from TOKEN_SERVER_* variables, set by tests/environment."""

import os
import secrets
from pathlib import Path


def switch(name, default):
    return os.environ.get(name, default) == "true"


# Everything the server writes: database and request log.
DIRECTORY = Path(os.environ["TOKEN_SERVER_DIR"])
REQUEST_LOG = DIRECTORY / "requests.jsonl"

SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "token_server.urls"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oauth2_provider",
    "token_server",
]
MIDDLEWARE = [
    "token_server.middleware.token_requests",  # first, so that it sees the final status
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DIRECTORY / "database.sqlite3",
        "OPTIONS": {
            # Take the write lock at the start: two requests that both read first and then write
            # would otherwise fail with "database is locked" instead of waiting for each other.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
        },
    }
}
# The database is new in every run: make the tables directly, without replaying their history.
MIGRATION_MODULES = {app.split(".")[-1]: None for app in INSTALLED_APPS}

# The real hasher costs 0.2 to 0.6 s for each token request, as real servers do.
HASHERS = {"cheap": "MD5PasswordHasher", "real": "PBKDF2PasswordHasher"}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers." + HASHERS[os.environ.get("TOKEN_SERVER_HASH_ROUNDS", "cheap")]
]

LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/api/me"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

OAUTH2_PROVIDER_APPLICATION_MODEL = "token_server.Application"
OAUTH2_PROVIDER = {
    "SCOPES": {"read": "Read", "write": "Write"},
    "SCOPES_BACKEND_CLASS": "token_server.scopes.ApplicationScopes",
    "ACCESS_TOKEN_EXPIRE_SECONDS": int(os.environ.get("TOKEN_SERVER_LIFETIME", "3600")),
    "ROTATE_REFRESH_TOKEN": switch("TOKEN_SERVER_ROTATE", "true"),
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": int(os.environ.get("TOKEN_SERVER_GRACE", "0")),
    "REFRESH_TOKEN_REUSE_PROTECTION": switch("TOKEN_SERVER_REUSE_PROTECTION", "false"),
    # Its own switch for storing only hashes of tokens, off by default in version 3.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": switch("TOKEN_SERVER_HASHED_TOKENS", "false"),
    "PKCE_REQUIRED": True,
    # Else the lifetime of the first token would hold for all.
    "ALWAYS_RELOAD_OAUTHLIB_CORE": True,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
