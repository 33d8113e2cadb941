//! Downloads a message's attachment to a file.
//!
//! Usage: `download ATTACHMENT FILE`.

use colony_blocking::{api::attachments::GetMessageAttachment, prelude::*};

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(attachment), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: download ATTACHMENT FILE".into());
    };
    let client = Client::builder(std::env::var("COLONY_API_KEY")?).build()?;
    let content = client.download(GetMessageAttachment::new(attachment))?;
    // Written to a temporary file first, so that a full disk leaves no partial download.
    let part = format!("{file}.part");
    std::fs::write(&part, &content)?;
    std::fs::rename(&part, &file)?;
    println!("{} bytes in {file}", content.len());
    Ok(())
}
