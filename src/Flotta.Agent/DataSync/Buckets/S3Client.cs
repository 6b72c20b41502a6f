using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Text;

namespace Flotta.Agent.DataSync;

/// <param name="ETag">Without quotes. Of an object that was put in one piece, and not encrypted with keys of a customer, it is the MD5.</param>
internal sealed record RemoteObject(string Key, long Size, string ETag, DateTimeOffset LastModified);

internal sealed record Listing(IReadOnlyList<RemoteObject> Objects, bool IsWhole);

/// <summary>A piece of a file on its way into the bucket.</summary>
internal sealed record Piece(Stream File, long Offset, long Length, string Md5, string Sha256);

/// <summary>The operations of S3 that the synchronisation needs. Every request has a deadline, or ends when nothing has moved for half a minute.</summary>
internal sealed class S3Client : IDisposable
{
    private const int MostOfAnAnswer = 8 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Bucket _bucket;
    private readonly Throttle _throttle;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private TimeSpan _clockOff;

    public S3Client(Bucket bucket, Throttle throttle, TimeProvider time)
    {
        (_bucket, _throttle, _time) = (bucket, throttle, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 32,
            ActivityHeadersPropagator = null,
        };
        if (bucket.Authorities.AreOurs)
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = bucket.Authorities.ForServers() };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Everything whose key begins with a prefix, in the order of the keys; bounded, so that a bucket of millions is no end of this device.</summary>
    public async Task<Listing> ListAsync(string prefix, int most, CancellationToken cancellationToken)
    {
        var objects = new List<RemoteObject>();
        for (string? token = null; ;)
        {
            var query = Signature.Query(("list-type", "2"), ("prefix", prefix), ("continuation-token", token));
            var page = ListPage.Read(await AskAsync(HttpMethod.Get, "", query, null, cancellationToken));
            objects.AddRange(page.Objects.Take(most - objects.Count));
            if (page.Next is null || objects.Count >= most)
                return new Listing(objects, page.Next is null);
            if (string.Equals(page.Next, token, StringComparison.Ordinal))
                throw new S3Exception("the server lists the same page again and again");
            token = page.Next;
        }
    }

    /// <returns>The ETag.</returns>
    public Task<string> PutAsync(string key, Piece piece, CancellationToken cancellationToken) => SendAsync(key, "", piece, whole: true, cancellationToken);

    public Task<string> PutPartAsync(string key, string uploadId, int number, Piece piece, CancellationToken cancellationToken) =>
        SendAsync(key, Signature.Query(("partNumber", number.ToString(CultureInfo.InvariantCulture)), ("uploadId", uploadId)), piece, whole: false, cancellationToken);

    public async Task<string> BeginUploadAsync(string key, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(HttpMethod.Post, key, Signature.Query(("uploads", "")), [], cancellationToken);
        return ListPage.One(answer, "InitiateMultipartUploadResult/UploadId") is { Length: > 0 and <= 2048 } id ? id : throw new S3Exception("the server gave no id for an upload in parts");
    }

    /// <returns>The ETag.</returns>
    public async Task<string> CompleteUploadAsync(string key, string uploadId, IReadOnlyList<string> parts, CancellationToken cancellationToken)
    {
        var body = new StringBuilder("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (var part = 0; part < parts.Count; part++)
            body.Append(CultureInfo.InvariantCulture, $"<Part><PartNumber>{part + 1}</PartNumber><ETag>&quot;{WebUtility.HtmlEncode(parts[part])}&quot;</ETag></Part>");
        var answer = await AskAsync(HttpMethod.Post, key, Signature.Query(("uploadId", uploadId)), Encoding.UTF8.GetBytes(body.Append("</CompleteMultipartUpload>").ToString()), cancellationToken, Patience * 10);
        // What goes wrong while the parts are joined is told with a 200, since that was sent long before.
        if (ListPage.One(answer, "Error/Code") is { } code)
            throw new S3Exception($"the parts could not be joined: {code} {ListPage.One(answer, "Error/Message")}", HttpStatusCode.InternalServerError, code);
        return ListPage.One(answer, "CompleteMultipartUploadResult/ETag")?.Trim('"') ?? throw new S3Exception("the parts were joined to nothing");
    }

    public async Task AbortUploadAsync(string key, string uploadId, CancellationToken cancellationToken) =>
        await AskAsync(HttpMethod.Delete, key, Signature.Query(("uploadId", uploadId)), null, cancellationToken);

    /// <summary>Appends what is missing of exactly this content to a file.</summary>
    /// <returns>Whether an ETag that looks like a checksum is one.</returns>
    public async Task<bool> FetchAsync(RemoteObject wanted, Stream file, CancellationToken cancellationToken)
    {
        using var still = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, still.Token);
        try
        {
            var headers = IfStill(wanted);
            if (file.Length > 0)
                headers["range"] = FormattableString.Invariant($"bytes={file.Length}-");
            using var answer = await RequestAsync(HttpMethod.Get, wanted.Key, "", null, headers, either.Token);
            // One that does not know if-match sends what it has now.
            if (TagOf(answer) is { } tag && !string.Equals(tag, wanted.ETag, StringComparison.Ordinal))
                throw new S3Exception("it was replaced meanwhile", HttpStatusCode.PreconditionFailed);
            if (answer.StatusCode != HttpStatusCode.PartialContent || answer.Content.Headers.ContentRange?.From != file.Length)
                file.SetLength(0);
            file.Seek(0, SeekOrigin.End);
            await using var content = await answer.Content.ReadAsStreamAsync(either.Token);
            await CopyAsync(content, file, wanted.Size, still, either.Token);
            return !IsEncrypted(answer);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Silent();
        }
        catch (HttpRequestException exception)
        {
            throw new S3Exception(Innermost(exception).Message);
        }
        catch (HttpIOException exception)
        {
            throw new S3Exception(Innermost(exception).Message);
        }
    }

    /// <summary>How long one part is of an object that was put in parts.</summary>
    /// <returns>Null where the server does not say, or where the ETag is no checksum.</returns>
    public async Task<long?> PartLengthAsync(RemoteObject wanted, int number, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(
                HttpMethod.Head,
                wanted.Key,
                Signature.Query(("partNumber", number.ToString(CultureInfo.InvariantCulture))),
                null,
                IfStill(wanted),
                (answer, _) => Task.FromResult(LengthOf(answer)),
                Patience,
                cancellationToken);
        }
        catch (S3Exception exception) when (exception.Status is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.NotImplemented)
        {
            return null;
        }

        long? LengthOf(HttpResponseMessage answer) =>
            !IsEncrypted(answer) && TagOf(answer) == wanted.ETag && answer.Content.Headers.ContentLength is >= 0 and var length && length <= wanted.Size ? length : null;
    }

    public void Dispose() => _http.Dispose();

    private async Task CopyAsync(Stream content, Stream file, long size, CancellationTokenSource still, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            while (true)
            {
                var count = await ReadAsync(content, buffer.AsMemory(0, _throttle.AtOnce), cancellationToken);
                if (count == 0)
                    return;
                if (file.Length + count > size)
                    throw new S3Exception("more arrives than was said", HttpStatusCode.PreconditionFailed);
                await file.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                await _throttle.TakeAsync(count, cancellationToken);
                still.CancelAfter(Patience);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // What the network does is one thing, what the disk does another.
    private static async Task<int> ReadAsync(Stream content, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException exception)
        {
            throw new S3Exception(Innermost(exception).Message);
        }
    }

    private async Task<string> SendAsync(string key, string query, Piece piece, bool whole, CancellationToken cancellationToken)
    {
        using var still = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, still.Token);
        var headers = new SortedList<string, string>(StringComparer.Ordinal) { ["content-md5"] = Convert.ToBase64String(Convert.FromHexString(piece.Md5)) };
        if (whole)
            headers["x-amz-checksum-sha256"] = Convert.ToBase64String(Convert.FromHexString(piece.Sha256));
        try
        {
            using var content = new PieceContent(piece, _throttle, () => still.CancelAfter(Patience));
            using var answer = await RequestAsync(HttpMethod.Put, key, query, (content, piece.Sha256), headers, either.Token);
            var tag = TagOf(answer) ?? throw new S3Exception("the server took it and gave no ETag");
            if (!IsEncrypted(answer) && Checksums.IsMd5(tag) && !string.Equals(tag, piece.Md5, StringComparison.OrdinalIgnoreCase))
                throw new S3Exception("what arrived is not what was sent", HttpStatusCode.BadRequest, "BadDigest");
            return tag;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Silent();
        }
        catch (HttpRequestException exception)
        {
            throw exception.InnerException is PieceChangedException changed ? changed : new S3Exception(Innermost(exception).Message);
        }
    }

    private Task<string> AskAsync(HttpMethod method, string key, string query, byte[]? body, CancellationToken cancellationToken, TimeSpan? patience = null) =>
        AskAsync(method, key, query, body, [], TextAsync, patience ?? Patience, cancellationToken);

    private async Task<T> AskAsync<T>(
        HttpMethod method,
        string key,
        string query,
        byte[]? body,
        SortedList<string, string> headers,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        TimeSpan patience,
        CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            using var content = body is null ? null : new ByteArrayContent(body);
            using var answer = await RequestAsync(method, key, query, content is null ? null : (content, Convert.ToHexStringLower(SHA256.HashData(body!))), headers, either.Token);
            return await read(answer, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Silent();
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new S3Exception(Innermost(exception).Message);
        }
    }

    private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string key, string query, (HttpContent Content, string Sha256)? body, SortedList<string, string> headers, CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            var answer = await OnceAsync(method, key, query, body, headers, cancellationToken);
            if (answer.IsSuccessStatusCode)
                return answer;
            using (answer)
            {
                var problem = await ProblemAsync(answer, cancellationToken);
                // A device without a clock that is right: the server's will do.
                if (again || problem.Code != "RequestTimeTooSkewed" || answer.Headers.Date is not { } theirs)
                    throw problem;
                _clockOff = theirs - _time.GetUtcNow();
            }
        }
    }

    private async Task<HttpResponseMessage> OnceAsync(HttpMethod method, string key, string query, (HttpContent Content, string Sha256)? body, SortedList<string, string> headers, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow() + _clockOff;
        var path = $"{_bucket.Path}/{Signature.Encode(key, path: true)}";
        var signed = new SortedList<string, string>(headers, StringComparer.Ordinal)
        {
            ["host"] = _bucket.Authority,
            ["x-amz-content-sha256"] = body?.Sha256 ?? Signature.EmptyPayload,
            ["x-amz-date"] = Signature.Time(now),
        };
        // Sent letter for letter as it is signed.
        var address = new Uri($"https://{_bucket.Authority}{path}{(query.Length > 0 ? "?" + query : "")}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        // Its content is the caller's, and may be sent again.
        var request = new HttpRequestMessage(method, address) { Content = body?.Content };
        foreach (var (name, value) in signed.Where(header => header.Key != "host"))
        {
            if (name == "content-md5")
                request.Content!.Headers.TryAddWithoutValidation(name, value);
            else
                request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation("User-Agent", DeviceAgent.UserAgent);
        request.Headers.TryAddWithoutValidation("Authorization", Signature.Authorization(method.Method, path, query, signed, signed["x-amz-content-sha256"], _bucket, now));
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private async Task<S3Exception> ProblemAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var (code, message) = ("", "");
        try
        {
            var text = await TextAsync(answer, cancellationToken);
            (code, message) = (ListPage.One(text, "Error/Code") ?? "", ListPage.One(text, "Error/Message") ?? "");
        }
        catch (Exception exception) when (exception is FormatException or S3Exception or IOException)
        {
            // It has no words of its own.
        }

        var retry = answer.Headers.RetryAfter is { } asked ? asked.Delta ?? (asked.Date is { } date ? date - _time.GetUtcNow() : null) : null;
        return new S3Exception(Checksums.Short($"the server answers {(int)answer.StatusCode} {code} {message}".TrimEnd()), answer.StatusCode, code, retry);
    }

    private static async Task<string> TextAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await using var content = await answer.Content.ReadAsStreamAsync(cancellationToken);
        using var text = new MemoryStream();
        var buffer = new byte[16 << 10];
        for (var count = await content.ReadAsync(buffer, cancellationToken); count > 0; count = await content.ReadAsync(buffer, cancellationToken))
        {
            if (text.Length + count > MostOfAnAnswer)
                throw new S3Exception("the server's answer is too long");
            text.Write(buffer, 0, count);
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private static SortedList<string, string> IfStill(RemoteObject wanted) => new(StringComparer.Ordinal) { ["if-match"] = $"\"{wanted.ETag}\"" };

    // Some servers leave the quotes out.
    private static string? TagOf(HttpResponseMessage answer) => answer.Headers.NonValidated.TryGetValues("ETag", out var values) ? values.ToString().Trim('"') : null;

    // Encrypted with somebody's own key: then the ETag is no checksum.
    private static bool IsEncrypted(HttpResponseMessage answer) =>
        answer.Headers.Any(header => header.Key.StartsWith("x-amz-server-side-encryption", StringComparison.OrdinalIgnoreCase) && !header.Value.Contains("AES256", StringComparer.Ordinal));

    private static S3Exception Silent() => new($"nothing came or went for {Patience.TotalSeconds:0} s");

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
