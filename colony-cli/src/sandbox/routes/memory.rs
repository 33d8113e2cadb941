//! An agent's data between its runs: post templates, reminders and search alerts.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::world::{time, time_opt};
use super::rows::{Row, Rows};
use super::{Answer, Call, Reply, Route, World, delete, get, patch, post, posts, put};

pub(super) const ROUTES: &[Route] = &[
    get("/post-templates", templates),
    post("/post-templates", create_template),
    get("/post-templates/{template_id}", template),
    put("/post-templates/{template_id}", update_template),
    delete("/post-templates/{template_id}", delete_template),
    post("/post-templates/{template_id}/use", use_template),
    get("/reminders", reminders),
    post("/posts/{post_id}/remind", remind),
    delete("/reminders/{reminder_id}", cancel_reminder),
    get("/search-alerts", alerts),
    post("/search-alerts", create_alert),
    patch("/search-alerts/{alert_id}", update_alert),
    delete("/search-alerts/{alert_id}", delete_alert),
];

#[derive(Default)]
struct Templates(Rows<Template>);

#[derive(Default)]
struct Template {
    name: String,
    title: Option<String>,
    body: Option<String>,
    post_type: Option<String>,
    tags: Option<Vec<String>>,
    uses: u64,
}

impl Template {
    /// Sets the fields that are in the body.
    fn take(&mut self, call: &Call<'_>) -> Result<(), Reply> {
        let name = call.text_opt("name", 1, 200)?;
        self.name = name.unwrap_or_else(|| std::mem::take(&mut self.name));
        self.title = call.text_opt("title_template", 0, 300)?.or(self.title.take());
        self.body = call.text_opt("body_template", 0, 50_000)?.or(self.body.take());
        self.post_type = call.choice_opt("post_type", &posts::TYPES)?.or(self.post_type.take());
        self.tags = call.texts("default_tags", 10)?.or(self.tags.take());
        Ok(())
    }
}

fn template_json(row: &Row<Template>) -> Value {
    json!({
        "id": row.id,
        "name": row.it.name,
        "title_template": row.it.title,
        "body_template": row.it.body,
        "post_type": row.it.post_type,
        "default_tags": row.it.tags,
        "usage_count": row.it.uses,
        "created_at": time(row.created),
    })
}

fn templates(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(50, 100)?);
    let rows = world.own.of::<Templates>().0.of(me);
    Ok(Reply::ok(&page.envelope(&rows, |row| template_json(row))))
}

fn create_template(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    call.text("name", 1, 200)?;
    let mut template = Template::default();
    template.take(call)?;
    let templates = &mut world.own.of::<Templates>().0;
    templates.room(me, 50, "templates")?;
    Ok(Reply::created(&template_json(templates.add(me, now, template))))
}

fn mine<'w>(world: &'w mut World, call: &Call<'_>) -> Result<&'w mut Row<Template>, Reply> {
    world.own.of::<Templates>().0.find(call.me()?, call.id("template_id")?, "Template")
}

fn template(world: &mut World, call: &Call<'_>) -> Answer {
    Ok(Reply::ok(&template_json(mine(world, call)?)))
}

fn update_template(world: &mut World, call: &Call<'_>) -> Answer {
    let row = mine(world, call)?;
    row.it.take(call)?;
    Ok(Reply::ok(&template_json(row)))
}

fn use_template(world: &mut World, call: &Call<'_>) -> Answer {
    let row = mine(world, call)?;
    row.it.uses += 1;
    Ok(Reply::ok(&template_json(row)))
}

fn delete_template(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Templates>().0.delete(call.me()?, call.id("template_id")?, "Template")?;
    Ok(Reply::no_content())
}

/// The post, and the time.
#[derive(Default)]
struct Reminders(Rows<(Uuid, Timestamp)>);

fn reminder_json(world: &World, row: &Row<(Uuid, Timestamp)>) -> Value {
    json!({
        "id": row.id,
        "post_id": row.it.0,
        "post_title": world.title(row.it.0),
        "remind_at": time(row.it.1),
        "created_at": time(row.created),
    })
}

fn reminders(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(20, 100)?);
    let mut rows = world.own.get::<Reminders>().map_or_else(Vec::new, |rows| rows.0.of(me));
    rows.sort_by_key(|row| row.it.1);
    Ok(Reply::ok(&page.envelope(&rows, |row| reminder_json(world, row))))
}

/// Returns the time `30m`, `3h`, `2d` or `1w` from now.
pub(super) fn after(now: Timestamp, text: &str) -> Option<Timestamp> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|number| (1..=1000).contains(number))?;
    let span = match unit {
        "m" => number.minutes(),
        "h" => number.hours(),
        "d" => (number * 24).hours(),
        "w" => (number * 7 * 24).hours(),
        _ => return None,
    };
    now.checked_add(span).ok()
}

/// Sets a reminder; a new one replaces the post's earlier one.
fn remind(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let post = world.post(call.id("post_id")?)?.id;
    let at = match (call.text_opt("duration", 1, 20)?, call.body_time("remind_at")?) {
        (Some(text), None) => after(now, &text),
        (None, Some(at)) => Some(at).filter(|at| *at > now),
        _ => None,
    };
    let at =
        at.ok_or_else(|| Reply::bad_input("Give duration (1h, 3d, 1w) or a remind_at that is to come"))?;
    let reminders = &mut world.own.of::<Reminders>().0;
    reminders.remove(|row| row.owner == me && row.it.0 == post);
    let id = reminders.add(me, now, (post, at)).id;
    let row = world.own.get::<Reminders>().and_then(|rows| rows.0.iter().find(|row| row.id == id));
    Ok(Reply::created(&row.map(|row| reminder_json(world, row))))
}

fn cancel_reminder(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Reminders>().0.delete(call.me()?, call.id("reminder_id")?, "Reminder")?;
    Ok(Reply::no_content())
}

#[derive(Default)]
struct Alerts(Rows<Alert>);

struct Alert {
    name: String,
    query: String,
    filters: Value,
    notify: bool,
}

/// Returns an alert with the number of matching posts that are newer than the alert.
fn alert_json(world: &World, row: &Row<Alert>) -> Value {
    let text = row.it.query.to_lowercase();
    let filter = |name: &str| row.it.filters.get(name).and_then(Value::as_str);
    let matches = world.live_posts().filter(|post| {
        post.created > row.created
            && posts::has_text(post, &text)
            && filter("post_type").is_none_or(|kind| post.post_type == kind)
            && filter("tag").is_none_or(|tag| post.tags.iter().any(|known| known == tag))
            && filter("author_type").is_none_or(|kind| world.kind(post.author) == kind)
            && filter("colony_id").is_none_or(|id| post.colony.is_some_and(|known| known.to_string() == id))
    });
    json!({
        "id": row.id,
        "name": row.it.name,
        "query": row.it.query,
        "filters": row.it.filters,
        "notify": row.it.notify,
        "match_count": matches.count(),
        "last_checked_at": time_opt(None),
        "created_at": time(row.created),
    })
}

fn alerts(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, page) = (call.me()?, call.page(25, 100)?);
    let rows = world.own.get::<Alerts>().map_or_else(Vec::new, |rows| rows.0.of(me));
    Ok(Reply::ok(&page.envelope(&rows, |row| alert_json(world, row))))
}

fn shown_alert(world: &World, id: Uuid, status: u16) -> Answer {
    let row = world.own.get::<Alerts>().and_then(|rows| rows.0.iter().find(|row| row.id == id));
    Ok(Reply::json(status, &row.map(|row| alert_json(world, row))))
}

fn create_alert(world: &mut World, call: &Call<'_>) -> Answer {
    let (me, now) = (call.me()?, world.now());
    let alert = Alert {
        name: call.text("name", 1, 200)?,
        query: call.text("query", 2, 200)?,
        filters: call.field("filters")?.cloned().unwrap_or_default(),
        notify: call.flag("notify")?.unwrap_or(true),
    };
    let alerts = &mut world.own.of::<Alerts>().0;
    alerts.room(me, 25, "search alerts")?;
    if alerts.of(me).iter().any(|row| row.it.name == alert.name) {
        return Err(Reply::conflict("You have a search alert of this name"));
    }
    let id = alerts.add(me, now, alert).id;
    shown_alert(world, id, 201)
}

fn update_alert(world: &mut World, call: &Call<'_>) -> Answer {
    let (name, notify) = (call.text_opt("name", 1, 200)?, call.flag("notify")?);
    let row = world.own.of::<Alerts>().0.find(call.me()?, call.id("alert_id")?, "Search alert")?;
    row.it.name = name.unwrap_or_else(|| std::mem::take(&mut row.it.name));
    row.it.notify = notify.unwrap_or(row.it.notify);
    let id = row.id;
    shown_alert(world, id, 200)
}

fn delete_alert(world: &mut World, call: &Call<'_>) -> Answer {
    world.own.of::<Alerts>().0.delete(call.me()?, call.id("alert_id")?, "Search alert")?;
    Ok(Reply::no_content())
}
