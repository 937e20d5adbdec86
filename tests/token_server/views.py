from django.http import JsonResponse
from oauth2_provider.oauth2_backends import get_oauthlib_core


def me(request):
    """The protected resource: who the bearer token belongs to."""
    valid, checked = get_oauthlib_core().verify_request(request, scopes=[])
    if not valid:
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return JsonResponse({"detail": "the access token is missing, expired or revoked"}, status=401, headers=headers)
    user = checked.user.get_username() if checked.user else None
    return JsonResponse({"client_id": checked.client.client_id, "user": user, "scope": checked.access_token.scope})
