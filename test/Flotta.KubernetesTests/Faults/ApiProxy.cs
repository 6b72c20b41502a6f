using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Flotta.KubernetesTests.Faults;

/// <summary>
/// Stands between one program and the API server, to which it speaks in that program's name: notes what is asked, answers badly where a test wants that,
/// and cuts watches.
/// </summary>
internal sealed class ApiProxy : IAsyncDisposable
{
    private readonly HttpMessageInvoker upstream;
    private readonly Uri server;
    private readonly string kubeconfig;
    private readonly ConcurrentDictionary<HttpContext, bool> watches = new();
    private WebApplication? listener;

    private ApiProxy(KubeApiServer server, string user, string[] groups)
    {
        this.server = server.Address;
        kubeconfig = server.Kubeconfig(new Uri("https://127.0.0.1:1"), "nobody");
        var handler = server.Certificates.Handler(user, groups);
        handler.EnableMultipleHttp2Connections = true;
        upstream = new(handler);
    }

    public ConcurrentQueue<ApiCall> Calls { get; } = new();

    /// <summary>Asked for every request; null: as it should be.</summary>
    public Func<HttpRequest, Trouble?>? Bad { get; set; }

    public Uri Address { get; private set; } = new("https://127.0.0.1");

    /// <summary>Speaks to the proxy; which certificate is in it does not matter.</summary>
    public string Kubeconfig => kubeconfig.Replace("https://127.0.0.1:1\"", Address.GetLeftPart(UriPartial.Authority) + "\"", StringComparison.Ordinal);

    public static async Task<ApiProxy> StartAsync(KubeApiServer server, string user, params string[] groups)
    {
        var proxy = new ApiProxy(server, user, groups);
        var (certificate, key) = server.Certificates.Server();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(X509CertificateLoader.LoadPkcs12(X509Certificate2.CreateFromPem(certificate, key).Export(X509ContentType.Pkcs12), null));
        }));
        proxy.listener = builder.Build();
        proxy.listener.Run(proxy.ForwardAsync);
        await proxy.listener.StartAsync();
        proxy.Address = new Uri(proxy.listener.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return proxy;
    }

    /// <summary>Cuts each open watch with this probability, in the middle and without a word.</summary>
    public void CutWatches(double probability)
    {
        foreach (var watch in watches.Keys.Where(_ => Random.Shared.NextDouble() < probability)) Cut(watch);
    }

    private static void Cut(HttpContext watch)
    {
        try
        {
            watch.Abort();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in watches.Keys) Cut(watch);
        if (listener is not null) await listener.DisposeAsync();
        upstream.Dispose();
    }

    private async Task ForwardAsync(HttpContext http)
    {
        Calls.Enqueue(new(TimeProvider.System.GetUtcNow(), http.Request.Method, http.Request.Path, http.Request.QueryString.ToString(), http.Request.Headers.UserAgent.ToString()));
        try
        {
            await AnswerAsync(http);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or OperationCanceledException)
        {
            http.Abort();
        }
        finally
        {
            watches.TryRemove(http, out _);
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (Bad?.Invoke(http.Request) is { } trouble)
        {
            await Task.Delay(trouble.Delay, http.RequestAborted);
            if (trouble.Status != 0)
            {
                await RefuseAsync(http, trouble);
                return;
            }
        }

        using var request = new HttpRequestMessage(new(http.Request.Method), new Uri(server, http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget)) { Version = HttpVersion.Version20 };
        foreach (var name in (string[])["Accept", "User-Agent"])
            request.Headers.TryAddWithoutValidation(name, http.Request.Headers[name].ToString());
        if (http.Request.ContentType is { } type)
        {
            request.Content = new StreamContent(http.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var response = await upstream.SendAsync(request, http.RequestAborted);
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        if (response.Headers.RetryAfter is { } wait) http.Response.Headers.RetryAfter = wait.ToString();
        if (http.Request.QueryString.ToString().Contains("watch=true", StringComparison.Ordinal)) watches[http] = true;
        await using var body = await response.Content.ReadAsStreamAsync(http.RequestAborted);
        var buffer = new byte[16 * 1024];
        await http.Response.Body.FlushAsync(http.RequestAborted);
        while (await body.ReadAsync(buffer, http.RequestAborted) is > 0 and var count)
        {
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, count), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private static async Task RefuseAsync(HttpContext http, Trouble trouble)
    {
        http.Response.StatusCode = trouble.Status;
        http.Response.ContentType = "application/json";
        if (trouble.RetryAfter is { } seconds) http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await http.Response.WriteAsync($$"""{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Injected","message":"the test says {{trouble.Status}}","code":{{trouble.Status}}}""", http.RequestAborted);
    }
}
