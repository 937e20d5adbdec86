//! The page that the browser ends on. It has no script, loads nothing, and shows no text that was not escaped.

/// The content of the page.
pub(super) struct Page {
    title: &'static str,
    text: String,
    status: u16,
}

impl Page {
    /// The refresh token is stored.
    pub(super) fn signed_in(secret: &str) -> Self {
        Self {
            title: "Signed in",
            text: format!(
                "The refresh token is in Secret \"{secret}\". You can close this window."
            ),
            status: 200,
        }
    }

    /// The sign-in failed, for this reason.
    pub(super) fn failed(sentence: &str) -> Self {
        Self {
            title: "Not signed in",
            text: format!("{}. You can close this window.", capitalized(sentence)),
            status: 400,
        }
    }

    /// Something else is at this address.
    pub(super) fn not_found() -> Self {
        Self {
            title: "Not found",
            text: "This address is for the end of a sign-in only.".into(),
            status: 404,
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn html(&self) -> String {
        let (title, text) = (escaped(self.title), escaped(&self.text));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width\">\n<title>{title} - kubectl cube</title>\n<style>\nbody {{ font: 1.1rem/1.5 \
             system-ui, sans-serif; max-width: 36rem; margin: 20vh auto 0; padding: 0 1rem; color: #1b1f24; background: #fff }}\n\
             h1 {{ font-size: 1.6rem }}\n@media (prefers-color-scheme: dark) {{ body {{ color: #e6e6e6; background: #16181c }} }}\n\
             </style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{text}</p>\n</body>\n</html>\n"
        )
    }
}

fn capitalized(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_escapes_what_the_provider_sent() {
        let page = Page::failed("the provider says: \"<script>alert('a & b')</script>\"");
        let html = page.html();
        assert!(html.contains("<p>The provider says: "), "{html}");
        assert!(!html.contains("<script"), "{html}");
        assert!(
            html.contains(
                "&quot;&lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;&quot;. You can close"
            ),
            "{html}"
        );
        assert_eq!(page.status(), 400);
    }
}
