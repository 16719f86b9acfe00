//! `berth usage`: what is stored and transferred, by signed calls of the service `berth`.

use aws_api::Service;
use aws_api::berth::{
    GetUsageRequest, GetUsageResponse, ListPrincipalUsageRequest, ListRepositoryUsageRequest, ops,
};
use policy::Printable;
use serde_json::{Map, Value, json};

use crate::cli::{TableOutput, UsageBy, UsageOptions};
use crate::error::Result;
use crate::output::Answers;
use crate::signed_client::{SignedClient, block_on, failed};

const GIB: f64 = (1_u64 << 30) as f64;
/// The days of a month, for the price of storage.
const MONTH_DAYS: f64 = 30.0;

/// A line of the table.
struct Line {
    name: String,
    images: Option<i64>,
    stored: Option<i64>,
    shared: Option<i64>,
    byte_days: Option<i64>,
    received: i64,
    sent: i64,
    pulls: i64,
    pushes: i64,
}

/// Runs the command.
pub fn run(options: UsageOptions) -> Result<()> {
    block_on(async {
        let server = SignedClient::open(&[Service::Berth]).await?;
        let mut lines = Vec::new();
        match options.by {
            UsageBy::Repository => {
                repositories(&server, &options, &mut lines).await?;
                let all = account(&server, &options).await?;
                lines.push(total(&all));
            }
            UsageBy::Principal => principals(&server, &options, &mut lines).await?,
            UsageBy::Day => {
                let all = account(&server, &options).await?;
                lines.extend(all.days.iter().map(|day| Line {
                    name: day.day.clone(),
                    images: None,
                    stored: Some(day.stored_bytes),
                    shared: None,
                    byte_days: Some(day.stored_bytes),
                    received: day.received_bytes,
                    sent: day.sent_bytes,
                    pulls: day.pull_count,
                    pushes: day.push_count,
                }));
                lines.push(total(&all));
            }
        }
        print(&options, &lines)
    })
}

async fn account(server: &SignedClient, options: &UsageOptions) -> Result<GetUsageResponse> {
    let input = GetUsageRequest {
        registry_id: options.registry_id.clone(),
        start_date: options.start.clone(),
        end_date: options.end.clone(),
    };
    let called = server.call::<ops::GetUsage>(&input).await;
    called.map_err(|e| failed(&e))
}

fn total(all: &GetUsageResponse) -> Line {
    let sum = |of: fn(&aws_api::berth::UsageDay) -> i64| all.days.iter().map(of).sum();
    Line {
        name: format!("account {}", all.registry_id),
        images: Some(all.image_count),
        stored: Some(all.stored_bytes),
        shared: None,
        byte_days: Some(all.stored_byte_days),
        received: all.received_bytes,
        sent: all.sent_bytes,
        pulls: sum(|day| day.pull_count),
        pushes: sum(|day| day.push_count),
    }
}

async fn repositories(
    server: &SignedClient,
    options: &UsageOptions,
    lines: &mut Vec<Line>,
) -> Result<()> {
    let mut input = ListRepositoryUsageRequest {
        registry_id: options.registry_id.clone(),
        start_date: options.start.clone(),
        end_date: options.end.clone(),
        ..ListRepositoryUsageRequest::default()
    };
    loop {
        let called = server.call::<ops::ListRepositoryUsage>(&input).await;
        let page = called.map_err(|e| failed(&e))?;
        lines.extend(page.repositories.into_iter().map(|one| Line {
            name: one.repository_name,
            images: Some(one.image_count),
            stored: Some(one.stored_bytes),
            shared: Some(one.shared_bytes),
            byte_days: Some(one.stored_byte_days),
            received: one.received_bytes,
            sent: one.sent_bytes,
            pulls: one.pull_count,
            pushes: one.push_count,
        }));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return Ok(());
        }
    }
}

async fn principals(
    server: &SignedClient,
    options: &UsageOptions,
    lines: &mut Vec<Line>,
) -> Result<()> {
    let mut input = ListPrincipalUsageRequest {
        registry_id: options.registry_id.clone(),
        start_date: options.start.clone(),
        end_date: options.end.clone(),
        ..ListPrincipalUsageRequest::default()
    };
    loop {
        let called = server.call::<ops::ListPrincipalUsage>(&input).await;
        let page = called.map_err(|e| failed(&e))?;
        lines.extend(page.principals.into_iter().map(|one| Line {
            name: one.principal_arn,
            images: None,
            stored: None,
            shared: None,
            byte_days: None,
            received: one.received_bytes,
            sent: one.sent_bytes,
            pulls: one.pull_count,
            pushes: one.push_count,
        }));
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return Ok(());
        }
    }
}

/// The columns of a line in their order: name and value.
fn columns(options: &UsageOptions, line: &Line) -> Vec<(&'static str, Value)> {
    let kind = match options.by {
        UsageBy::Repository => "repository",
        UsageBy::Principal => "principal",
        UsageBy::Day => "day",
    };
    let mut columns = Vec::new();
    let mut put = |name: &'static str, value: Value| columns.push((name, value));
    put(kind, json!(line.name));
    if options.by != UsageBy::Principal {
        put("images", json!(line.images));
        put("storedBytes", json!(line.stored));
        put("sharedBytes", json!(line.shared));
    }
    put("receivedBytes", json!(line.received));
    put("sentBytes", json!(line.sent));
    put("pulls", json!(line.pulls));
    put("pushes", json!(line.pushes));
    if let (Some(price), Some(byte_days)) = (options.price_storage, line.byte_days) {
        put("storageCost", json!(storage_cost(byte_days, price)));
    } else if options.price_storage.is_some() {
        put("storageCost", Value::Null);
    }
    if let Some(price) = options.price_transfer {
        put("transferCost", json!(line.sent as f64 / GIB * price));
    }
    columns
}

fn storage_cost(byte_days: i64, price: f64) -> f64 {
    byte_days as f64 / GIB / MONTH_DAYS * price
}

fn print(options: &UsageOptions, lines: &[Line]) -> Result<()> {
    let mut answers = Answers::new();
    let rows: Vec<Vec<(&str, Value)>> = lines.iter().map(|line| columns(options, line)).collect();
    if options.output == TableOutput::Json {
        for row in &rows {
            let members = row
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            answers.json(&members.collect::<Map<String, Value>>())?;
        }
        return answers.flush();
    }
    let Some(first) = rows.first() else {
        return answers.flush();
    };
    let head: Vec<String> = first.iter().map(|(name, _)| (*name).to_owned()).collect();
    let is_text = options.output == TableOutput::Text;
    let mut table = vec![head.clone()];
    table.extend(rows.iter().map(|row| {
        let cell = |(name, value): &(&str, Value)| shown(name, value, is_text);
        row.iter().map(cell).collect()
    }));
    if !is_text {
        for row in &table {
            let row: Vec<String> = row.iter().map(|cell| csv(cell)).collect();
            answers.line(&row.join(","))?;
        }
        return answers.flush();
    }
    let width = |at: usize| table.iter().map(|row| row[at].chars().count()).max();
    let widths: Vec<usize> = (0..head.len()).map(|at| width(at).unwrap_or(0)).collect();
    for row in &table {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[at].saturating_sub(cell.chars().count()));
            // Names to the left, numbers to the right.
            line.push_str(&match at {
                0 => format!("{cell}{pad}"),
                _ => format!("  {pad}{cell}"),
            });
        }
        answers.line(line.trim_end())?;
    }
    answers.flush()
}

fn shown(name: &str, value: &Value, is_text: bool) -> String {
    match value {
        Value::Null if is_text => "-".to_owned(),
        Value::Null => String::new(),
        Value::String(text) => Printable(text).to_string(),
        Value::Number(number) if name.ends_with("Cost") => {
            format!("{:.2}", number.as_f64().unwrap_or_default())
        }
        Value::Number(number) if is_text && name.ends_with("Bytes") => {
            size(number.as_i64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

/// `1.5 GiB` of bytes.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        unit => format!("{number:.1} {}", UNITS[unit]),
    }
}

/// A value of a CSV line (RFC 4180).
fn csv(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_is_priced_by_gibibyte_and_month() {
        let gib = 1_i64 << 30;
        assert!((storage_cost(30 * gib, 0.10) - 0.10).abs() < 1e-9);
        assert!((storage_cost(15 * 2 * gib, 0.10) - 0.10).abs() < 1e-9);
    }

    #[test]
    fn cells_are_for_readers_or_for_programs() {
        assert_eq!(size(1_023), "1023 B");
        assert_eq!(size(1_536), "1.5 KiB");
        assert_eq!(csv("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(shown("storedBytes", &json!(2_048), false), "2048");
        assert_eq!(shown("storageCost", &json!(0.126), true), "0.13");
        assert_eq!(shown("images", &Value::Null, true), "-");
    }
}
