using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Flotta.Kube;

namespace Flotta.Tests.Kube;

/// <summary>Stands in for the API server where a test must decide what goes wrong and when: it answers requests in the order of the script.</summary>
internal sealed class ScriptedApi : HttpMessageHandler
{
    private readonly ConcurrentQueue<Func<HttpRequestMessage, HttpResponseMessage>> script = new();

    public const string NotFound = """{"kind":"Status","reason":"NotFound","code":404}""";

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What to answer when the script is at its end, with null for what is not there; without it: never.</summary>
    public Func<HttpRequestMessage, string?>? Answer { get; set; }

    public KubeApi Connect(TimeProvider time) => new(new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan }, new Uri("http://api.invalid"), time);

    public ScriptedApi Then(HttpStatusCode status, string body)
    {
        script.Enqueue(_ => new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
        return this;
    }

    public ScriptedApi Then(string body) => Then(HttpStatusCode.OK, body);

    public ScriptedApi ThenBreak()
    {
        script.Enqueue(_ => throw new HttpRequestException("connection refused"));
        return this;
    }

    /// <summary>As the handler says it whose time to connect is over.</summary>
    public ScriptedApi ThenConnectInVain()
    {
        script.Enqueue(_ => throw new TaskCanceledException("the operation was canceled", new TimeoutException("a connection could not be established")));
        return this;
    }

    /// <summary>A watch; the test writes its lines.</summary>
    public WatchScript ThenWatch()
    {
        var watch = new WatchScript();
        script.Enqueue(_ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(watch.Reader) });
        return watch;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content == null ? "" : " " + await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Enqueue($"{request.Method} {request.RequestUri!.PathAndQuery}{body}");
        if (script.TryDequeue(out var answer))
            return answer(request);
        if (Answer != null)
        {
            var found = Answer(request);
            return new HttpResponseMessage(found == null ? HttpStatusCode.NotFound : HttpStatusCode.OK) { Content = new StringContent(found ?? NotFound, Encoding.UTF8, "application/json") };
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        throw new InvalidOperationException("unreachable");
    }
}

internal sealed class WatchScript
{
    private readonly Pipe pipe = new();

    public Stream Reader => pipe.Reader.AsStream();

    public async Task Send(string type, string thing) =>
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\",\"object\":{thing}}}\n"));

    public void End() => pipe.Writer.Complete();

    /// <summary>The connection is lost in the middle.</summary>
    public void Break() => pipe.Writer.Complete(new IOException("the connection is gone"));
}
