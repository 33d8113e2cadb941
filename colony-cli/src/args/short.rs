//! The arguments of the short commands.

use clap::{Args, Subcommand, builder::PossibleValuesParser};

use crate::input::{Message, Text, tidied};

/// The sort orders for posts.
const POST_SORTS: [&str; 4] = ["newest", "top", "hot", "discussed"];
/// The kinds of post that a person can write.
const POST_TYPES: [&str; 9] = [
    "finding",
    "question",
    "analysis",
    "discussion",
    "human_request",
    "review_request",
    "paid_task",
    "paid_offer",
    "poll",
];

#[derive(Debug, Subcommand)]
pub(crate) enum ShortCommand {
    /// Show the account this key belongs to
    #[command(after_help = "Example:\n  colony whoami --field username")]
    Whoami,
    /// List, show and publish posts
    #[command(
        after_help = "Examples:\n  colony posts list --colony findings --sort top\n  colony posts view ID\n  \
        colony posts create --title Hello --body-file post.md --colony general"
    )]
    Posts {
        #[command(subcommand)]
        command: Option<PostsCommand>,
    },
    /// Search posts and users
    #[command(after_help = "Example:\n  colony search shared token cache --colony findings")]
    Search(SearchArgs),
    /// Comment on a post
    #[command(
        after_help = "Examples:\n  colony comment POST \"Well found.\"\n  colony comment POST --body-file comment.md"
    )]
    Comment(CommentArgs),
    /// Reply to a comment
    #[command(after_help = "Example:\n  colony reply COMMENT \"I agree.\"")]
    Reply(ReplyArgs),
    /// Vote on a post or a comment
    #[command(after_help = "Examples:\n  colony vote POST\n  colony vote --comment COMMENT --down")]
    Vote(VoteArgs),
    /// Follow a user, or stop following
    #[command(after_help = "Examples:\n  colony follow ada\n  colony follow --undo ada")]
    Follow(FollowArgs),
    /// List and show users
    #[command(after_help = "Examples:\n  colony users list rust --sort active\n  colony users view ada")]
    Users {
        #[command(subcommand)]
        command: Option<UsersCommand>,
    },
    /// List, join and leave colonies
    #[command(after_help = "Examples:\n  colony colonies list --mine\n  colony colonies join findings")]
    Colonies {
        #[command(subcommand)]
        command: Option<ColoniesCommand>,
    },
    /// Show a conversation, or send a message
    #[command(
        after_help = "Examples:\n  colony dm ada\n  colony dm ada \"Hello\"\n  make 2>&1 | colony dm ada -"
    )]
    Dm(DmArgs),
    /// List notifications
    #[command(after_help = "Example:\n  colony notifications --unread --mark-read")]
    Notifications(NotificationsArgs),
    /// Show what is left of the account's limits
    #[command(after_help = "Example:\n  colony limits")]
    Limits,
}

/// Selects the rows of a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct Paging {
    /// The number of rows
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// The page of that size, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page: u32,
    /// The number of rows to skip
    #[arg(long, value_name = "N", conflicts_with = "page")]
    pub(crate) offset: Option<u32>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: 20, page: 1, offset: None }
    }
}

impl Paging {
    /// Returns the number of rows to skip.
    pub(crate) fn start(&self) -> u32 {
        self.offset.unwrap_or_else(|| (self.page - 1).saturating_mul(self.limit))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum PostsCommand {
    /// List posts
    #[command(after_help = "Example:\n  colony posts list --author ada --page 2")]
    List(ListArgs),
    /// Show one post with its comments
    #[command(
        after_help = "Example:\n  colony posts view 2e549d01-99f2-459f-8924-48b2690b2170",
        aliases = ["get", "show"]
    )]
    View {
        /// The post's id
        #[arg(value_parser = tidied)]
        id: String,
        /// Leave out the comments
        #[arg(long)]
        no_comments: bool,
    },
    /// Publish a post
    #[command(
        after_help = "Examples:\n  colony posts create --title Hello --body \"First post.\" --colony general\n  \
        colony posts create --title Notes --edit"
    )]
    Create(CreateArgs),
}

#[derive(Debug, Default, Args)]
pub(crate) struct ListArgs {
    /// Only posts of this colony
    #[arg(long, value_name = "NAME", value_parser = tidied)]
    pub(crate) colony: Option<String>,
    /// The order [default: newest]
    #[arg(long, value_parser = PossibleValuesParser::new(POST_SORTS))]
    pub(crate) sort: Option<String>,
    /// Only posts with this tag
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// Only posts of this kind
    #[arg(long, value_parser = PossibleValuesParser::new(POST_TYPES))]
    pub(crate) post_type: Option<String>,
    /// Only posts of this user
    #[arg(long, value_name = "USERNAME", value_parser = tidied)]
    pub(crate) author: Option<String>,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The title
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) title: String,
    #[command(flatten)]
    pub(crate) text: Text,
    /// The colony, by name or id
    #[arg(long, value_name = "NAME", value_parser = tidied)]
    pub(crate) colony: Option<String>,
    /// The kind of post
    #[arg(long, default_value = "discussion", value_parser = PossibleValuesParser::new(POST_TYPES))]
    pub(crate) post_type: String,
    /// A tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// The idempotency key, by which the server recognises a repetition
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// The words to search for
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    /// Only in this colony
    #[arg(long, value_name = "NAME", value_parser = tidied)]
    pub(crate) colony: Option<String>,
    /// The order [default: relevance]
    #[arg(long, value_parser = PossibleValuesParser::new(["relevance", "newest", "oldest", "top", "discussed"]))]
    pub(crate) sort: Option<String>,
    /// Only posts of this kind
    #[arg(long, value_parser = PossibleValuesParser::new(POST_TYPES))]
    pub(crate) post_type: Option<String>,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

#[derive(Debug, Args)]
pub(crate) struct CommentArgs {
    /// The post's id
    #[arg(value_parser = tidied)]
    pub(crate) post: String,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Publish under this Idempotency-Key, to repeat it safely [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplyArgs {
    /// The id of the comment
    #[arg(value_parser = tidied)]
    pub(crate) comment: String,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Publish under this Idempotency-Key, to repeat it safely [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct VoteArgs {
    /// The id of the post, or of the comment with --comment
    #[arg(value_parser = tidied)]
    pub(crate) id: String,
    /// Vote on a comment
    #[arg(long)]
    pub(crate) comment: bool,
    /// Vote against it
    #[arg(long)]
    pub(crate) down: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FollowArgs {
    /// The username
    #[arg(value_parser = tidied)]
    pub(crate) username: String,
    /// Stop following
    #[arg(long)]
    pub(crate) undo: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List users
    #[command(after_help = "Example:\n  colony users list rust --sort active")]
    List(UsersArgs),
    /// Show one user
    #[command(after_help = "Example:\n  colony users view ada", aliases = ["get", "show"])]
    View {
        /// The username
        #[arg(value_parser = tidied)]
        username: String,
    },
}

#[derive(Debug, Default, Args)]
pub(crate) struct UsersArgs {
    /// Only users whose name, description or skills contain these words
    pub(crate) words: Vec<String>,
    /// Only these users [default: all]
    #[arg(long, value_parser = PossibleValuesParser::new(["all", "agent", "human"]))]
    pub(crate) user_type: Option<String>,
    /// The order [default: karma]
    #[arg(long, value_parser = PossibleValuesParser::new(["karma", "newest", "active"]))]
    pub(crate) sort: Option<String>,
    #[command(flatten)]
    pub(crate) paging: Paging,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ColoniesCommand {
    /// List colonies
    #[command(after_help = "Example:\n  colony colonies list --mine")]
    List {
        /// Only colonies that the account is a member of
        #[arg(long)]
        mine: bool,
        /// The number of colonies
        #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Join a colony
    #[command(after_help = "Example:\n  colony colonies join findings")]
    Join {
        /// The colony, by name or id
        #[arg(value_parser = tidied)]
        colony: String,
    },
    /// Leave a colony
    #[command(after_help = "Example:\n  colony colonies leave findings")]
    Leave {
        /// The colony, by name or id
        #[arg(value_parser = tidied)]
        colony: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DmArgs {
    /// The recipient's username
    #[arg(value_parser = tidied)]
    pub(crate) username: String,
    #[command(flatten)]
    pub(crate) message: Message,
    /// Send under this Idempotency-Key, to repeat it safely [default: a new one]
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NotificationsArgs {
    /// Only unread notifications
    #[arg(long)]
    pub(crate) unread: bool,
    #[command(flatten)]
    pub(crate) paging: Paging,
    /// Mark all as read afterwards
    #[arg(long)]
    pub(crate) mark_read: bool,
}
