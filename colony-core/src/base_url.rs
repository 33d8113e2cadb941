//! What the API's base URL tells of the site.

/// The site's root, where the routes outside the API are: the base URL without its trailing `/api/v1`,
/// or its scheme and host when it does not end so.
///
/// ```
/// use colony_core::base_url::site_root;
///
/// assert_eq!(site_root("https://thecolony.ai/api/v1"), "https://thecolony.ai");
/// assert_eq!(site_root("https://host.example/colony/api/v1/"), "https://host.example/colony");
/// assert_eq!(site_root("https://host.example:8443/v2"), "https://host.example:8443");
/// ```
pub fn site_root(base_url: &str) -> &str {
    let base_url = base_url.trim_end_matches('/');
    if let Some(root) = base_url.strip_suffix("/api/v1") {
        return root;
    }
    let Some(host) = base_url.find("://").map(|index| index + 3) else { return base_url };
    let end = base_url[host..].find(['/', '?', '#']).map_or(base_url.len(), |index| host + index);
    if end == host { base_url } else { &base_url[..end] }
}
