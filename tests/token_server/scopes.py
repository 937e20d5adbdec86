from oauth2_provider.scopes import SettingsScopes


class ApplicationScopes(SettingsScopes):
    def get_available_scopes(self, application=None, request=None, *args, **kwargs):
        return application.allowed_scopes.split() if application else super().get_available_scopes()

    get_default_scopes = get_available_scopes
