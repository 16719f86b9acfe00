//! What docker does: log in, push, pull.

use std::net::SocketAddr;

use super::http::{self, Request, Response};
use super::image::{Blob, Image, MANIFEST_TYPE};
use super::person::CommandError;

/// A docker client that has logged in.
#[derive(Debug)]
pub struct Docker {
    address: SocketAddr,
    /// The `Authorization` header.
    authorization: String,
}

impl Docker {
    /// `docker login`. `token` is the authorization token of ECR: base64 of `AWS:password`.
    pub fn login(address: SocketAddr, token: &str) -> Result<Docker, CommandError> {
        let docker = Docker {
            address,
            authorization: format!("Basic {token}"),
        };
        let response = docker.send("GET", "/v2/", &[], &[])?;
        match response.status {
            200 => Ok(docker),
            _ => Err(refusal(&response)),
        }
    }

    /// `docker push`: layers first, each only where it is missing, then the manifest.
    pub fn push(
        &self,
        repository: &str,
        tag: &str,
        image: &Image,
        mut progress: impl FnMut(u64),
    ) -> Result<(), CommandError> {
        for blob in [&image.layer, &image.config] {
            self.push_blob(repository, blob, &mut progress)?;
        }
        let target = format!("/v2/{repository}/manifests/{tag}");
        let response = self.send(
            "PUT",
            &target,
            &[("content-type", MANIFEST_TYPE)],
            &image.manifest.bytes,
        )?;
        expect(&response, 201)?;
        match response.header("docker-content-digest") {
            Some(digest) if digest == image.manifest.digest => Ok(()),
            digest => Err(CommandError(format!(
                "the registry calls the image {digest:?}, not {}",
                image.manifest.digest
            ))),
        }
    }

    fn push_blob(
        &self,
        repository: &str,
        blob: &Blob,
        progress: impl FnMut(u64),
    ) -> Result<(), CommandError> {
        let there = self.send(
            "HEAD",
            &format!("/v2/{repository}/blobs/{}", blob.digest),
            &[],
            &[],
        )?;
        if there.status == 200 {
            return Ok(());
        }
        let started = self.send(
            "POST",
            &format!("/v2/{repository}/blobs/uploads/"),
            &[],
            &[],
        )?;
        expect(&started, 202)?;
        let octets = [
            ("content-type", "application/octet-stream"),
            ("authorization", &self.authorization),
        ];
        let upload = self.location(&started)?;
        let request = Request {
            method: "PATCH",
            target: &upload,
            headers: &octets,
            body: &blob.bytes,
        };
        let sent = http::send(self.address, &request, progress).map_err(cut)?;
        expect(&sent, 202)?;
        let upload = self.location(&sent)?;
        let mark = if upload.contains('?') { '&' } else { '?' };
        let target = format!("{upload}{mark}digest={}", blob.digest);
        expect(&self.send("PUT", &target, &[], &[])?, 201)
    }

    /// `docker pull`: manifest, configuration, layer; the digests are the caller's to compare.
    pub fn pull(
        &self,
        repository: &str,
        image: &Image,
        tag: &str,
    ) -> Result<[Vec<u8>; 3], CommandError> {
        let manifest = self.get(&format!("/v2/{repository}/manifests/{tag}"))?;
        let config = self.get(&format!("/v2/{repository}/blobs/{}", image.config.digest))?;
        let layer = self.get(&format!("/v2/{repository}/blobs/{}", image.layer.digest))?;
        Ok([manifest, config, layer])
    }

    fn get(&self, target: &str) -> Result<Vec<u8>, CommandError> {
        let response = self.send("GET", target, &[("accept", MANIFEST_TYPE)], &[])?;
        expect(&response, 200)?;
        Ok(response.body)
    }

    fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, CommandError> {
        let mut all = vec![("authorization", self.authorization.as_str())];
        all.extend_from_slice(headers);
        let request = Request {
            method,
            target,
            headers: &all,
            body,
        };
        http::send(self.address, &request, |_| {}).map_err(cut)
    }

    /// Where the upload goes on; the registry answers a path or a whole URL.
    fn location(&self, response: &Response) -> Result<String, CommandError> {
        let location = response.header("location").ok_or_else(|| {
            CommandError("the registry names no location for the upload".to_owned())
        })?;
        let path = location
            .strip_prefix(&format!("http://{}", self.address))
            .unwrap_or(location);
        Ok(path.to_owned())
    }
}

fn cut(error: std::io::Error) -> CommandError {
    CommandError(format!("the connection broke: {error}"))
}

fn expect(response: &Response, status: u16) -> Result<(), CommandError> {
    match response.status == status {
        true => Ok(()),
        false => Err(refusal(response)),
    }
}

/// docker's words: the code in small letters and the message.
fn refusal(response: &Response) -> CommandError {
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |name: &str| {
        body["errors"][0][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    match (text("code"), text("message")) {
        (code, _) if code.is_empty() => {
            CommandError(format!("the registry answers {}", response.status))
        }
        (code, message) => CommandError(format!("{}: {message}", code.to_ascii_lowercase())),
    }
}
