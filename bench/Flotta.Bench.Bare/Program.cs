// What a heartbeat costs at the least: Kestrel, the Edge API's TLS, the same body read and parsed, and an empty answer. No identity, no routes, no state.
//   flotta-bench-bare CERTIFICATE KEY          prints "ready edge=https://127.0.0.1:PORT"
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Flotta.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

const string Configuration =
    """{"type":"data","directive":"device","message_id":"1","version":1,"content":{"device_id":"bare","version":"1","configuration":{"heartbeat":{"hardware_profile":{},"period_seconds":60},"mounts":[]}}}""";

using var own = X509Certificate2.CreateFromPemFile(args[0], args[1]);
var context = SslStreamCertificateContext.Create(own, null, offline: true);
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "flotta-bench-bare" });
builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Listen(IPAddress.Loopback, 0, listen =>
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Tls(context)) });
    });
});
await using var app = builder.Build();
app.Run(AnswerAsync);
await app.StartAsync();
Console.WriteLine($"ready edge={app.Urls.First()}");
// Until somebody ends the process.
await Task.Delay(Timeout.Infinite);

static async Task AnswerAsync(HttpContext http)
{
    if (HttpMethods.IsGet(http.Request.Method))
    {
        http.Response.ContentType = "application/json";
        http.Response.Headers.ETag = "\"1\"";
        await http.Response.WriteAsync(Configuration, http.RequestAborted);
        return;
    }

    var message = await JsonSerializer.DeserializeAsync(http.Request.Body, WireJson.Types.Message, http.RequestAborted);
    _ = message?.Content?.Deserialize(WireJson.Types.Heartbeat);
    http.Response.ContentType = "application/json";
    http.Response.ContentLength = 0;
}

static SslServerAuthenticationOptions Tls(SslStreamCertificateContext context) => new()
{
    ServerCertificateContext = context,
    EnabledSslProtocols = SslProtocols.Tls13,
    ClientCertificateRequired = true,
    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
    CertificateChainPolicy = new X509ChainPolicy
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    },
    RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate != null,
    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    AllowRenegotiation = false,
};
