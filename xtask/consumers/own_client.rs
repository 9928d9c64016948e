// Added to the program of a consumer with an HTTP client of its own.
use manis_auth::{Bytes, Error, ErrorKind, HttpClient, HttpRequest, HttpResponse, async_trait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Debug)]
struct Plain;

#[async_trait]
impl HttpClient for Plain {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        exchange(request).await.map_err(|cause| {
            Error::new(ErrorKind::Connect, "no answer").with_source(cause)
        })
    }
}

async fn exchange(request: HttpRequest) -> std::io::Result<HttpResponse> {
    let uri = request.uri().clone();
    let authority = uri.authority().map(|authority| authority.to_string()).unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut text = format!("{} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method());
    for (name, value) in request.headers() {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    let mut stream = tokio::net::TcpStream::connect(authority).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.write_all(request.body()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(answer.len() - 4);
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(500);
    let mut response = http::Response::builder().status(status);
    for line in head.lines().skip(1) {
        if let Some((name, value)) = line.split_once(": ") {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Bytes::copy_from_slice(&answer[end + 4..])).unwrap())
}
