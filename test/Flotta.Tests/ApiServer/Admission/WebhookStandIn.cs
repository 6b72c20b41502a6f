using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Flotta.Tests.ApiServer.Admission;

/// <summary>A webhook over real TLS that answers what the test says, and remembers what it was asked.</summary>
internal sealed class WebhookStandIn : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly Func<JsonObject, JsonObject?> respond;

    private WebhookStandIn(WebApplication application, Func<JsonObject, JsonObject?> respond, string bundle)
    {
        this.application = application;
        this.respond = respond;
        Bundle = bundle;
        application.Run(HandleAsync);
    }

    /// <summary>Base64 of PEM, as a configuration carries it.</summary>
    public string Bundle { get; }

    public string Url => application.Urls.First() + "/check";

    public ConcurrentQueue<JsonObject> Asked { get; } = new();

    /// <param name="respond">From the request to the response, but for its uid; null: no answer at all.</param>
    public static async Task<WebhookStandIn> StartAsync(Func<JsonObject, JsonObject?> respond)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        var made = new WebhookStandIn(builder.Build(), respond, Convert.ToBase64String(Encoding.UTF8.GetBytes(certificate.ExportCertificatePem())));
        await made.application.StartAsync();
        return made;
    }

    public async ValueTask DisposeAsync() => await application.DisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        var review = (JsonObject)(await JsonNode.ParseAsync(http.Request.Body))!;
        var request = (JsonObject)review["request"]!;
        Asked.Enqueue(request);
        if (respond(request) is not { } response)
        {
            await Task.Delay(TimeSpan.FromMinutes(1), http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return;
        }

        response["uid"] = request["uid"]!.DeepClone();
        await http.Response.WriteAsync(new JsonObject { ["apiVersion"] = "admission.k8s.io/v1", ["kind"] = "AdmissionReview", ["response"] = response }.ToJsonString());
    }
}
