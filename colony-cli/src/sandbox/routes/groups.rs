//! Group conversations. `messages.rs` has what they share with conversations between two users.

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{About, Conversation, Group, Message, To};
use super::messages::{deliver, place};
use super::{Answer, Call, Reply, Route, World, delete, get, messages, patch, post, put, uploads};

pub(super) const ROUTES: &[Route] = &[
    post("/messages/groups", create),
    get("/messages/groups/templates", templates),
    post("/messages/groups/from-template", create_from_template),
    get("/messages/groups/{conv_id}", read),
    patch("/messages/groups/{conv_id}", update),
    get("/messages/groups/{conv_id}/members", members),
    post("/messages/groups/{conv_id}/members", invite),
    delete("/messages/groups/{conv_id}/members/{user_id}", remove_member),
    put("/messages/groups/{conv_id}/members/{user_id}/admin", set_admin),
    post("/messages/groups/{conv_id}/transfer-creator", transfer),
    post("/messages/groups/{conv_id}/invite/respond", respond),
    post("/messages/groups/{conv_id}/avatar", set_avatar),
    get("/messages/groups/{conv_id}/avatar", avatar),
    post("/messages/groups/{conv_id}/read-all", read_all),
    get("/messages/groups/{conv_id}/search", search),
    post("/messages/groups/{conv_id}/messages/{msg_id}/pin", pin),
    delete("/messages/groups/{conv_id}/messages/{msg_id}/pin", unpin),
];

const MAX_MEMBERS: usize = 50;

struct Template {
    slug: &'static str,
    title: &'static str,
    description: &'static str,
    roles: [&'static str; 2],
    starter: &'static str,
}

const TEMPLATES: [Template; 2] = [
    Template {
        slug: "incident-response",
        title: "Incident response",
        description: "One place for an incident, from the first report to the lessons.",
        roles: ["lead", "scribe"],
        starter: "Impact, what is known, what is next: keep these three up to date.",
    },
    Template {
        slug: "review",
        title: "Review",
        description: "Reviewers of one piece of work.",
        roles: ["author", "reviewer"],
        starter: "Link the work, say what to look at, and by when.",
    },
];

/// Returns the group at a position; here [`place`] returns only positions of groups.
fn group(conversation: &Conversation) -> Result<&Group, Reply> {
    conversation.group.as_ref().ok_or_else(|| Reply::none("Group"))
}

/// Returns the caller's group, if the caller is an admin.
fn administered(world: &World, call: &Call<'_>) -> Result<(Uuid, usize), Reply> {
    let (me, at) = place(world, call)?;
    if !group(&world.conversations[at])?.admins.contains(&me) {
        return Err(Reply::forbidden("FORBIDDEN", "Only admins of the group may do this"));
    }
    Ok((me, at))
}

fn group_mut(world: &mut World, at: usize) -> Result<&mut Group, Reply> {
    world.conversations[at].group.as_mut().ok_or_else(|| Reply::none("Group"))
}

/// Creates a group for the caller and invites others.
fn begin(
    world: &mut World,
    call: &Call<'_>,
    title: String,
    template: Option<&'static str>,
) -> Result<usize, Reply> {
    let me = call.me()?;
    let mut invited = Vec::new();
    for name in call.query_all("members") {
        let user = world.find_user(name)?;
        if user != me && !invited.contains(&user) {
            messages::reachable(world, me, user)?;
            invited.push(user);
        }
    }
    if invited.is_empty() || invited.len() >= MAX_MEMBERS {
        return Err(Reply::bad_input(format!("A group has 2 to {MAX_MEMBERS} members")));
    }
    let (id, created) = (Uuid::new_v4(), world.now());
    let group = Group {
        title,
        creator: me,
        admins: vec![me],
        invited: invited.clone(),
        template,
        ..Group::default()
    };
    world.conversations.push(Conversation {
        id,
        group: Some(group),
        members: vec![me],
        created,
        ..Conversation::default()
    });
    for user in invited {
        invited_notice(world, me, user, id);
    }
    Ok(world.conversations.len() - 1)
}

fn invited_notice(world: &mut World, me: Uuid, user: Uuid, conversation: Uuid) {
    let about = About { conversation: Some(conversation), ..About::default() };
    world.notify(user, me, "group_invite", "invited you to a group", about);
    let fields = json!({
        "conversation_id": conversation, "actor": world.username(me), "actor_id": me,
        "added": world.username(user), "added_user_id": user,
    });
    world.emit(To::User(user), "group_member_added", fields);
}

fn summary(world: &World, user: Uuid) -> Value {
    json!({"id": user, "username": world.username(user), "display_name": world.display_name(user)})
}

fn created(world: &World, at: usize, starter: Option<Uuid>) -> Answer {
    let conversation = &world.conversations[at];
    let group = group(conversation)?;
    let everybody = conversation.members.iter().chain(&group.invited);
    Ok(Reply::created(&json!({
        "id": conversation.id,
        "title": group.title,
        "description": group.description,
        "is_group": true,
        "creator_id": group.creator,
        "members": everybody.map(|&user| summary(world, user)).collect::<Vec<_>>(),
        "template": group.template,
        "starter_message_id": starter,
    })))
}

fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let title = call.query_text("title", 1, 100)?.to_owned();
    let at = begin(world, call, title, None)?;
    created(world, at, None)
}

fn templates(_: &mut World, _: &Call<'_>) -> Answer {
    let rows: Vec<Value> = TEMPLATES
        .iter()
        .map(|row| {
            json!({
                "slug": row.slug,
                "title": row.title,
                "description": row.description,
                "suggested_roles": row.roles,
                "starter_pinned_message": row.starter,
            })
        })
        .collect();
    Ok(Reply::ok(&json!({"pagination": {"total": rows.len(), "has_more": false}, "templates": rows})))
}

fn create_from_template(world: &mut World, call: &Call<'_>) -> Answer {
    let slug = call.query_text("template", 1, 100)?;
    let template = TEMPLATES.iter().find(|row| row.slug == slug);
    let template = template.ok_or_else(|| Reply::bad_input("There is no template of this name"))?;
    let title = call.query("title_override").unwrap_or(template.title).to_owned();
    let at = begin(world, call, title, Some(template.slug))?;
    let starter = deliver(world, at, call.me()?, template.starter.to_owned(), None, Vec::new());
    group_mut(world, at)?.pinned.push(starter);
    created(world, at, Some(starter))
}

/// Returns a message as members of a group see it.
fn message_json(world: &World, conversation: &Conversation, message: &Message) -> Value {
    let mut json = world.message_json(conversation, message);
    json["read_count"] = message.reads.len().into();
    json
}

/// Returns the newest page, oldest first. Reading a group marks it read after rendering.
fn read(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at), page) = (place(world, call)?, call.page(50, 200)?);
    let conversation = &world.conversations[at];
    let group = group(conversation)?;
    let rows = conversation.live();
    let end = rows.len().saturating_sub(page.offset);
    let json = |message: &&Message| message_json(world, conversation, message);
    let pinned = group.pinned.iter().filter_map(|id| rows.iter().find(|message| message.id == *id));
    let reply = Reply::ok(&json!({
        "id": conversation.id,
        "title": group.title,
        "description": group.description,
        "creator_id": group.creator,
        "member_count": conversation.members.len(),
        "messages": rows[end.saturating_sub(page.limit)..end].iter().map(json).collect::<Vec<_>>(),
        "pinned": pinned.map(json).collect::<Vec<_>>(),
    }));
    let now = world.now();
    world.conversations[at].mark(me, now);
    Ok(reply)
}

fn update(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at) = administered(world, call)?;
    let title = call.query("title").map(|_| call.query_text("title", 1, 100)).transpose()?;
    let description =
        call.query("description").map(|_| call.query_text("description", 0, 500)).transpose()?;
    let group = group_mut(world, at)?;
    if let Some(title) = title {
        group.title = title.to_owned();
    }
    if let Some(description) = description {
        group.description = Some(description.to_owned());
    }
    Ok(Reply::ok(&json!({"title": group.title, "description": group.description})))
}

fn members(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at) = place(world, call)?;
    let conversation = &world.conversations[at];
    let group = group(conversation)?;
    let members: Vec<Value> = conversation
        .members
        .iter()
        .map(|&user| {
            let mut member = summary(world, user);
            member["user_type"] = world.kind(user).into();
            member["presence_status"] = json!(world.users.get(&user).map(|user| &user.presence_status));
            member
        })
        .collect();
    Ok(Reply::ok(&json!({
        "title": group.title,
        "description": group.description,
        "creator_id": group.creator,
        "members": members,
    })))
}

fn invite(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = administered(world, call)?;
    let user = world.find_user(call.query_text("username", 1, 64)?)?;
    let username = world.username(user).to_owned();
    if world.conversations[at].has(user) {
        return Ok(Reply::created(&json!({
            "added": false, "already_member": true, "username": username, "invite_status": "accepted",
        })));
    }
    messages::reachable(world, me, user)?;
    let (id, members) = (world.conversations[at].id, world.conversations[at].members.len());
    let group = group_mut(world, at)?;
    if members + group.invited.len() >= MAX_MEMBERS {
        return Err(Reply::bad_input(format!("A group has at most {MAX_MEMBERS} members")));
    }
    let new = !group.invited.contains(&user);
    if new {
        group.invited.push(user);
        invited_notice(world, me, user, id);
    }
    Ok(Reply::created(&json!({
        "added": new, "already_member": false, "username": username, "invite_status": "pending",
    })))
}

fn respond(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, id) = (call.me()?, call.id("conv_id")?);
    let accept = call.query_bool("accept")?.ok_or_else(|| Reply::missing(&["query", "accept"]))?;
    let at = world.conversations.iter().position(|row| row.id == id).ok_or_else(|| Reply::none("Group"))?;
    let group = group_mut(world, at)?;
    let creator = group.creator;
    let before = group.invited.len();
    group.invited.retain(|&user| user != me);
    if group.invited.len() == before {
        return Err(Reply::none("Invitation"));
    }
    if accept {
        world.conversations[at].members.push(me);
        let fields = json!({"conversation_id": id, "user": world.username(me), "user_id": me});
        world.emit(To::User(creator), "group_invite_accepted", fields);
    }
    Ok(Reply::ok(&json!({"invite_status": if accept { "accepted" } else { "declined" }})))
}

/// Removes a member. Members can leave; admins can remove others. The creator stays.
fn remove_member(world: &mut World, call: &Call<'_>) -> Answer {
    let user = call.id("user_id")?;
    let (me, at) = if call.me()? == user { place(world, call)? } else { administered(world, call)? };
    let id = world.conversations[at].id;
    let group = group_mut(world, at)?;
    if group.creator == user {
        return Err(Reply::bad_input("The creator cannot be removed; transfer the role first"));
    }
    group.admins.retain(|&admin| admin != user);
    group.invited.retain(|&invited| invited != user);
    let members = &mut world.conversations[at].members;
    let before = members.len();
    members.retain(|&member| member != user);
    let removed = members.len() < before;
    let rest = members.clone();
    let name = world.username(user).to_owned();
    if removed && me == user {
        let fields = json!({"conversation_id": id, "leaver": name, "leaver_id": user});
        rest.into_iter().for_each(|member| world.emit(To::User(member), "group_member_left", fields.clone()));
    } else if removed {
        let fields = json!({
            "conversation_id": id, "actor": world.username(me), "actor_id": me, "removed": name,
            "removed_user_id": user,
        });
        world.emit(To::User(user), "group_member_removed", fields);
    }
    Ok(Reply::ok(&json!({"removed": removed})))
}

fn set_admin(world: &mut World, call: &Call<'_>) -> Answer {
    let ((_, at), user) = (administered(world, call)?, call.id("user_id")?);
    let admin = call.query_bool("is_admin")?.ok_or_else(|| Reply::missing(&["query", "is_admin"]))?;
    if !world.conversations[at].has(user) {
        return Err(Reply::none("Member"));
    }
    let group = group_mut(world, at)?;
    group.admins.retain(|&known| known != user);
    if admin || group.creator == user {
        group.admins.push(user);
    }
    Ok(Reply::ok(&json!({"user_id": user, "is_admin": group.admins.contains(&user)})))
}

fn transfer(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, at) = place(world, call)?;
    let user = world.find_user(call.query_text("new_creator_username", 1, 64)?)?;
    let is_member = world.conversations[at].has(user);
    let group = group_mut(world, at)?;
    if group.creator != me {
        return Err(Reply::forbidden("FORBIDDEN", "Only the creator may do this"));
    }
    if !is_member {
        return Err(Reply::bad_input("The new creator is not a member of the group"));
    }
    group.creator = user;
    if !group.admins.contains(&user) {
        group.admins.push(user);
    }
    Ok(Reply::ok(&json!({"creator_id": user, "creator_username": world.username(user)})))
}

fn set_avatar(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at) = administered(world, call)?;
    let bytes = call.upload()?.clone();
    let media = uploads::image(&bytes)?;
    group_mut(world, at)?.avatar = Some((media, bytes));
    let id = world.conversations[at].id;
    let url = format!("{}{}/messages/groups/{id}/avatar", world.site, super::super::API_PATH);
    Ok(Reply::created(&json!({ "avatar_url": url })))
}

fn avatar(world: &mut World, call: &Call<'_>) -> Answer {
    let (_, at) = place(world, call)?;
    let avatar = group(&world.conversations[at])?.avatar.as_ref();
    let (media, bytes) = avatar.ok_or_else(|| Reply::none("Avatar"))?;
    Ok(Reply::bytes(200, media, bytes.clone()))
}

fn read_all(world: &mut World, call: &Call<'_>) -> Answer {
    let ((me, at), now) = (place(world, call)?, world.now());
    Ok(Reply::ok(&json!({"marked": world.conversations[at].mark(me, now)})))
}

/// Returns matches, latest first, with `[[hl]]…[[/hl]]` around the matched text.
fn search(world: &mut World, call: &Call<'_>) -> Answer {
    let ((_, at), page) = (place(world, call)?, call.page(50, 100)?);
    let q = call.query_text("q", 2, 200)?;
    let conversation = &world.conversations[at];
    let mut rows: Vec<(&Message, String)> = conversation
        .live()
        .into_iter()
        .filter_map(|message| Some((message, highlighted(&message.body, q)?)))
        .collect();
    rows.reverse();
    let (cut, has_more) = page.cut(&rows);
    let results: Vec<Value> = cut
        .iter()
        .map(|(message, highlight)| {
            let mut json = world.message_json(conversation, message);
            json["body_highlight"] = highlight.as_str().into();
            json
        })
        .collect();
    Ok(Reply::ok(&json!({
        "q": q,
        "count": results.len(),
        "results": results,
        "pagination": {"total": rows.len(), "has_more": has_more},
    })))
}

/// Returns a text with the first occurrence of another one marked.
fn highlighted(body: &str, wanted: &str) -> Option<String> {
    // In some languages lower case changes the length; then nothing is marked.
    let at = body.to_lowercase().find(&wanted.to_lowercase())?;
    let (before, rest) = body.split_at_checked(at).unwrap_or((body, ""));
    let (hit, after) = rest.split_at_checked(wanted.len()).unwrap_or((rest, ""));
    Some(format!("{before}[[hl]]{hit}[[/hl]]{after}"))
}

fn set_pinned(world: &mut World, call: &Call<'_>, pinned: bool) -> Answer {
    let ((_, at), id) = (administered(world, call)?, call.id("msg_id")?);
    if !world.conversations[at].live().iter().any(|message| message.id == id) {
        return Err(Reply::none("Message"));
    }
    let group = group_mut(world, at)?;
    let already = group.pinned.contains(&id) == pinned;
    group.pinned.retain(|&known| known != id);
    if pinned {
        group.pinned.push(id);
    }
    Ok(Reply::ok(&json!({"pinned": pinned, "already": already})))
}

fn pin(world: &mut World, call: &Call<'_>) -> Answer {
    set_pinned(world, call, true)
}

fn unpin(world: &mut World, call: &Call<'_>) -> Answer {
    set_pinned(world, call, false)
}
