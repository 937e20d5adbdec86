from pathlib import Path

import oauth2_provider
from django.contrib.auth.views import LoginView
from django.urls import include, path
from django.views.static import serve

from . import views

STYLES = {"document_root": Path(oauth2_provider.__file__).parent / "static"}

urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("accounts/login/", LoginView.as_view()),
    path("api/me", views.me),
    path("static/<path:path>", serve, STYLES),
]
