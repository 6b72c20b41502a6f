using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Flotta.Agent.DataSync;
using Flotta.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.Agent.DataSync;

/// <summary>
/// A bucket on loopback over real TLS that checks what the real server of the end-to-end tests does not: every signature against what was sent,
/// every checksum, conditions and ranges. It can be made to fail.
/// </summary>
internal sealed class BucketStandIn : IAsyncDisposable
{
    private readonly WebApplication _app;

    private BucketStandIn(WebApplication app, string ca)
    {
        _app = app;
        Storage = new S3Storage
        {
            BucketHost = "localhost",
            BucketPort = new Uri(app.Urls.First()).Port,
            BucketName = "data",
            BucketRegion = "r",
            AwsAccessKeyId = Base64("id"),
            AwsSecretAccessKey = Base64("secret"),
            AwsCaBundle = Base64(ca),
        };
    }

    public S3Storage Storage { get; }

    public Bucket Bucket => Bucket.Of(Storage);

    public ConcurrentDictionary<string, (byte[] Content, DateTimeOffset Modified)> Objects { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, ConcurrentDictionary<int, byte[]>> Uploads { get; } = new(StringComparer.Ordinal);

    /// <summary>Of objects that were put in parts: how long each is.</summary>
    public ConcurrentDictionary<string, int[]> Parts { get; } = new(StringComparer.Ordinal);

    /// <summary>ETags that are not what the content has.</summary>
    public ConcurrentDictionary<string, string> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether it says how long a part is.</summary>
    public bool TellsParts { get; set; } = true;

    public ConcurrentQueue<string> Requests { get; } = [];

    public ConcurrentQueue<string> Wrong { get; } = [];

    public string SecretKey { get; set; } = "secret";

    /// <summary>Set to answer in the test's own way; false leaves it to the bucket.</summary>
    public Func<HttpContext, Task<bool>>? Instead { get; set; }

    public DateTimeOffset Clock { get; set; } = TimeProvider.System.GetUtcNow();

    public int PageSize { get; set; } = 1000;

    public static async Task<BucketStandIn> StartAsync()
    {
        var authority = new TestAuthority();
        var certificate = authority.Server();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate));
        });
        var app = builder.Build();
        BucketStandIn? server = null;
        app.Run(context => server!.AnswerAsync(context));
        await app.StartAsync();
        server = new BucketStandIn(app, authority.Pem);
        return server;
    }

    public void Put(string key, string content, DateTimeOffset? modified = null) => Put(key, Encoding.UTF8.GetBytes(content), modified);

    public void Put(string key, byte[] content, DateTimeOffset? modified = null) => Objects[key] = (content, modified ?? Clock.AddMinutes(-5));

    public void PutInParts(string key, byte[] content, params int[] parts)
    {
        Put(key, content);
        Parts[key] = parts;
    }

    public static string TagOfParts(byte[] content, params int[] parts)
    {
        using var md5s = new MemoryStream();
        var offset = 0;
        foreach (var length in parts)
        {
            md5s.Write(MD5.HashData(content.AsSpan(offset, length)));
            offset += length;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(MD5.HashData(md5s.ToArray()))}-{parts.Length}");
    }

    public string Text(string key) => Objects.TryGetValue(key, out var found) ? Encoding.UTF8.GetString(found.Content) : "";

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        Requests.Enqueue($"{context.Request.Method} {target}");
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        if (Problem(context.Request, target, body) is { } problem)
        {
            Wrong.Enqueue(problem);
            await ErrorAsync(context, 403, problem);
            return;
        }

        if (Instead is not null && await Instead(context))
            return;
        var query = context.Request.Query;
        var key = Uri.UnescapeDataString(target.Split('?')[0]["/data/".Length..]);
        await (context.Request.Method switch
        {
            "GET" when query.ContainsKey("list-type") => ListAsync(context),
            "GET" => GetAsync(context, key),
            "HEAD" => HeadAsync(context, key, query["partNumber"]!),
            "PUT" when query.TryGetValue("uploadId", out var id) => PartAsync(context, id!, int.Parse(query["partNumber"]!, CultureInfo.InvariantCulture), body),
            "PUT" => PutAsync(context, key, body),
            "POST" when query.ContainsKey("uploads") => BeginAsync(context),
            "POST" => CompleteAsync(context, key, query["uploadId"]!),
            _ => AbortAsync(context, query["uploadId"]!),
        });
    }

    private string? Problem(HttpRequest request, string target, byte[] body)
    {
        var authorization = request.Headers.Authorization.ToString();
        var names = authorization.Split("SignedHeaders=")[1].Split(',')[0].Split(';');
        var headers = names.ToDictionary(name => name, name => request.Headers[name].ToString(), StringComparer.Ordinal);
        var at = DateTimeOffset.ParseExact(headers["x-amz-date"], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        var parts = target.Split('?');
        var expected = Signature.Authorization(request.Method, parts[0], parts.Length > 1 ? parts[1] : "", headers, headers["x-amz-content-sha256"], Bucket with { SecretAccessKey = SecretKey }, at);
        if (expected != authorization)
            return "SignatureDoesNotMatch";
        if (Convert.ToHexStringLower(SHA256.HashData(body)) != headers["x-amz-content-sha256"])
            return "XAmzContentSHA256Mismatch";
        if ((at - Clock).Duration() > TimeSpan.FromMinutes(15))
            return "RequestTimeTooSkewed";
        return request.Headers.ContentMD5.ToString() is { Length: > 0 } md5 && md5 != Convert.ToBase64String(MD5.HashData(body)) ? "BadDigest" : null;
    }

    private Task ErrorAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Date = Clock.ToString("R", CultureInfo.InvariantCulture);
        return context.Response.WriteAsync($"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
    }

    private Task ListAsync(HttpContext context)
    {
        var prefix = context.Request.Query["prefix"].ToString();
        var after = context.Request.Query["continuation-token"].ToString();
        var all = Objects.Where(one => one.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(one.Key, after) > 0).OrderBy(one => one.Key, StringComparer.Ordinal).ToList();
        var page = all.Take(PageSize).ToList();
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>data</Name>");
        xml.Append(CultureInfo.InvariantCulture, $"<IsTruncated>{(page.Count < all.Count ? "true" : "false")}</IsTruncated>");
        if (page.Count < all.Count)
            xml.Append(CultureInfo.InvariantCulture, $"<NextContinuationToken>{WebUtility.HtmlEncode(page[^1].Key)}</NextContinuationToken>");
        foreach (var (key, (content, modified)) in page)
            xml.Append(CultureInfo.InvariantCulture, $"<Contents><Key>{WebUtility.HtmlEncode(key)}</Key><LastModified>{modified.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}</LastModified><ETag>&quot;{Tag(key)}&quot;</ETag><Size>{content.Length}</Size></Contents>");
        return context.Response.WriteAsync(xml.Append("</ListBucketResult>").ToString());
    }

    private async Task GetAsync(HttpContext context, string key)
    {
        if (!Objects.TryGetValue(key, out var found))
        {
            await ErrorAsync(context, 404, "NoSuchKey");
            return;
        }

        if (context.Request.Headers.IfMatch.ToString() is { Length: > 0 } match && match != $"\"{Tag(key)}\"")
        {
            await ErrorAsync(context, 412, "PreconditionFailed");
            return;
        }

        var from = 0;
        context.Response.Headers.ETag = $"\"{Tag(key)}\"";
        if (context.Request.Headers.Range.ToString() is { Length: > 0 } range)
        {
            from = int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{found.Content.Length - 1}/{found.Content.Length}");
        }

        context.Response.ContentLength = found.Content.Length - from;
        await context.Response.Body.WriteAsync(found.Content.AsMemory(from));
    }

    private Task HeadAsync(HttpContext context, string key, string number)
    {
        var length = Objects[key].Content.Length;
        context.Response.Headers.ETag = $"\"{Tag(key)}\"";
        if (TellsParts && Parts.TryGetValue(key, out var parts))
        {
            context.Response.StatusCode = 206;
            context.Response.Headers["x-amz-mp-parts-count"] = parts.Length.ToString(CultureInfo.InvariantCulture);
            length = parts[int.Parse(number, CultureInfo.InvariantCulture) - 1];
        }

        context.Response.ContentLength = length;
        return Task.CompletedTask;
    }

    private Task PutAsync(HttpContext context, string key, byte[] body)
    {
        Objects[key] = (body, Clock);
        Parts.TryRemove(key, out _);
        context.Response.Headers.ETag = $"\"{Tag(body)}\"";
        return Task.CompletedTask;
    }

    private Task BeginAsync(HttpContext context)
    {
        var id = Guid.NewGuid().ToString("N");
        Uploads[id] = new();
        return context.Response.WriteAsync($"<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
    }

    private Task PartAsync(HttpContext context, string id, int number, byte[] body)
    {
        if (!Uploads.TryGetValue(id, out var parts))
            return ErrorAsync(context, 404, "NoSuchUpload");
        parts[number] = body;
        context.Response.Headers.ETag = $"\"{Tag(body)}\"";
        return Task.CompletedTask;
    }

    private Task CompleteAsync(HttpContext context, string key, string id)
    {
        if (!Uploads.TryRemove(id, out var parts))
            return ErrorAsync(context, 404, "NoSuchUpload");
        var whole = parts.OrderBy(part => part.Key).SelectMany(part => part.Value).ToArray();
        Objects[key] = (whole, Clock);
        Parts[key] = [.. parts.OrderBy(part => part.Key).Select(part => part.Value.Length)];
        return context.Response.WriteAsync($"<CompleteMultipartUploadResult><ETag>&quot;{Tag(key)}&quot;</ETag></CompleteMultipartUploadResult>");
    }

    private Task AbortAsync(HttpContext context, string id)
    {
        context.Response.StatusCode = Uploads.TryRemove(id, out _) ? 204 : 404;
        return Task.CompletedTask;
    }

    private string Tag(string key) =>
        Tags.TryGetValue(key, out var tag) ? tag : Parts.TryGetValue(key, out var parts) ? TagOfParts(Objects[key].Content, parts) : Tag(Objects[key].Content);

    private static string Tag(byte[] content) => Convert.ToHexStringLower(MD5.HashData(content));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
