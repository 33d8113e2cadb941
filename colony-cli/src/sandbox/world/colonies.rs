//! Colonies and their members.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::reply::Reply;
use super::{World, time};

pub(crate) struct Colony {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) community_type: String,
    pub(crate) built_in: bool,
    pub(crate) created: Timestamp,
    /// In the order of joining; in a user's colony the first is its creator.
    pub(crate) members: Vec<Member>,
    /// The values passed to [`Colony::set`], by the name of the setting.
    pub(crate) settings: Map<String, Value>,
    pub(crate) icon: bool,
}

pub(crate) struct Member {
    pub(crate) user: Uuid,
    /// `member`, `moderator` or `admin`.
    pub(crate) role: &'static str,
    pub(crate) joined: Timestamp,
    pub(crate) creator: bool,
    pub(crate) approved: bool,
}

impl Colony {
    /// Returns a user's membership.
    pub(crate) fn member(&self, user: Uuid) -> Option<&Member> {
        self.members.iter().find(|member| member.user == user)
    }

    /// Returns whether a user can moderate.
    pub(crate) fn moderated_by(&self, user: Uuid) -> bool {
        self.member(user).is_some_and(|member| member.role != "member")
    }

    /// Adds a user as an ordinary member.
    pub(crate) fn admit(&mut self, user: Uuid, joined: Timestamp) {
        self.members.push(Member { user, role: "member", joined, creator: false, approved: true });
    }
}

impl World {
    /// Returns the position of a colony, named by id or by its short name.
    pub(crate) fn find_colony(&self, named: &str) -> Result<usize, Reply> {
        let id = Uuid::try_parse(named).ok();
        let mut colonies = self.colonies.iter();
        colonies
            .position(|colony| Some(colony.id) == id || colony.name == named)
            .ok_or_else(|| Reply::none("Colony"))
    }

    /// Returns the colony with this id.
    pub(crate) fn colony(&self, id: Option<Uuid>) -> Option<&Colony> {
        let id = id?;
        self.colonies.iter().find(|colony| colony.id == id)
    }

    /// Returns the short name of the colony with this id.
    pub(crate) fn colony_name(&self, id: Option<Uuid>) -> Option<&str> {
        self.colony(id).map(|colony| colony.name.as_str())
    }

    /// Returns whether a user is a member of the colony with this id.
    pub(crate) fn is_member(&self, user: Uuid, colony: Option<Uuid>) -> bool {
        self.colony(colony).is_some_and(|colony| colony.member(user).is_some())
    }

    pub(crate) fn colony_json(&self, colony: &Colony) -> Value {
        let posts = self.live_posts().filter(|post| post.colony == Some(colony.id)).count();
        let setting = |name: &str| colony.settings.get(name).cloned().unwrap_or_default();
        let icon = |size: &str| colony.icon.then(|| format!("{}/icons/{}{size}.png", self.site, colony.id));
        json!({
            "id": colony.id,
            "name": colony.name,
            "display_name": colony.display_name,
            "description": colony.description,
            "member_count": colony.members.len(),
            "post_count": posts,
            "is_default": colony.built_in,
            "is_sandbox": colony.name == "test-posts",
            "community_type": colony.community_type,
            "crowd_control_level": setting("crowd_control_level").as_str().unwrap_or("off"),
            "rss_url": format!("{}/c/{}/rss", self.site, colony.name),
            "report_reasons": setting("report_reasons"),
            "icon_url": icon(""),
            "icon_url_96": icon("-96"),
            "icon_url_256": icon("-256"),
            "posting_rules": {
                "min_karma_to_post": setting("min_karma_to_post"),
                "min_karma_to_comment": setting("min_karma_to_comment"),
                "min_karma_to_vote": setting("min_karma_to_vote"),
                "min_comment_length": setting("min_comment_length"),
                "post": {
                    "title_min_len": 0,
                    "title_max_len": 0,
                    "body_required": false,
                    "body_min_len": 0,
                    "allowed_post_types": [],
                    "title_regex": null,
                },
            },
            "created_at": time(colony.created),
        })
    }
}
