using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.Agent.Workloads;

/// <summary>Stands in for podman's REST API on a unix socket: pods in memory, and faults on demand.</summary>
internal sealed class FakePodman : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-podman-").FullName;
    private readonly ConcurrentDictionary<Channel<string>, bool> _listeners = new();
    private WebApplication? _server;
    private int _ids;

    public string Socket => Path.Combine(_folder, "podman.sock");

    public ConcurrentDictionary<string, FakePod> Pods { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, bool> Images { get; } = new(StringComparer.Ordinal) { ["localhost/web:1"] = true, ["localhost/web:2"] = true };

    /// <summary>What a pull brings, by reference, other than what is there.</summary>
    public ConcurrentDictionary<string, string> Registry { get; } = new(StringComparer.Ordinal);

    /// <summary>What image a reference means; of those that are not here it is always the same.</summary>
    public ConcurrentDictionary<string, string> Ids { get; } = new(StringComparer.Ordinal);

    /// <summary>"METHOD path" of every call but the looks, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>Given "METHOD path", an error to answer with; may wait.</summary>
    public Func<string, Task<string?>> Fault { get; set; } = _ => Task.FromResult<string?>(null);

    public string Version { get; set; } = "4.3.1";

    public int EventStreams;

    public static async Task<FakePodman> StartAsync()
    {
        var podman = new FakePodman();
        await podman.StartServerAsync();
        return podman;
    }

    public async Task StartServerAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.ListenUnixSocket(Socket));
        _server = builder.Build();
        _server.Run(AnswerAsync);
        await _server.StartAsync();
    }

    public async Task StopServerAsync()
    {
        EndStreams();
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server!.StopAsync(now.Token);
        await _server.DisposeAsync();
        File.Delete(Socket);
    }

    public void EndStreams()
    {
        foreach (var listener in _listeners.Keys)
            listener.Writer.TryComplete();
    }

    public void Exit(string pod, int code)
    {
        Pods[pod].Set("exited", "Exited", code);
        Happen("container", "died");
    }

    public void Happen(string type, string action)
    {
        foreach (var listener in _listeners.Keys)
            listener.Writer.TryWrite($$"""{"Type":"{{type}}","Action":"{{action}}"}""");
    }

    public IEnumerable<string> CallsOf(string part) => Calls.Where(call => call.Contains(part, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Socket))
            await StopServerAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        path = path.StartsWith("/v", StringComparison.Ordinal) ? path[(path.IndexOf("libpod/", StringComparison.Ordinal) + 7)..] : path;
        var call = $"{context.Request.Method} {Uri.UnescapeDataString(path)}";
        var reference = context.Request.Query["reference"].ToString();
        if (reference.Length > 0)
            call += " " + reference;
        if (await Fault(call) is { } error)
        {
            Calls.Enqueue(call);
            await SayAsync(context, 500, new JsonObject { ["cause"] = error, ["message"] = error, ["response"] = 500 });
            return;
        }
        if (context.Request.Method != "GET")
            Calls.Enqueue(call);
        await AnswerAsync(context, call.Split(' ')[1].Split('/'), context.Request.Method, reference);
    }

    private async Task AnswerAsync(HttpContext context, string[] path, string method, string reference)
    {
        switch (method, path)
        {
            case (_, ["", "_ping"]):
                context.Response.Headers["Libpod-API-Version"] = Version;
                await context.Response.WriteAsync("OK");
                break;
            case ("GET", ["pods", "json"]):
                await SayAsync(context, 200, new JsonArray([.. Pods.Values.Select(pod => pod.ToJson())]));
                break;
            case ("GET", ["pods", var pod, "json"]):
                await SayAsync(context, 200, new JsonObject { ["InfraConfig"] = new JsonObject { ["PortBindings"] = new JsonObject() } });
                break;
            case ("GET", ["containers", var id, "json"]):
                var its = Pods.Values.First(pod => "c-" + pod.Id == id || pod.Name + "-main" == id);
                await SayAsync(context, 200, new JsonObject { ["Id"] = "c-" + its.Id, ["Image"] = its.Image, ["State"] = new JsonObject { ["ExitCode"] = its.ExitCode } });
                break;
            case ("GET", ["images", .., "json"]) when Images.ContainsKey(string.Join('/', path[1..^1])):
                await SayAsync(context, 200, new JsonObject { ["Id"] = "sha256:" + IdOf(string.Join('/', path[1..^1])) });
                break;
            case ("GET", ["images", .., "exists"]):
                context.Response.StatusCode = Images.ContainsKey(string.Join('/', path[1..^1])) ? 204 : 404;
                break;
            case ("POST", ["images", "pull"]):
                if (Registry.TryGetValue(reference, out var brought))
                    (Images[reference], Ids[reference]) = (true, brought);
                await context.Response.WriteAsync(Images.ContainsKey(reference) ? "{\"stream\":\"pulled\"}\n" : "{\"error\":\"manifest unknown\"}\n");
                break;
            case ("POST", ["play", "kube"]):
                await PlayAsync(context);
                break;
            case ("POST", ["pods", var id, "start"]) when Find(id) is { } pod:
                pod.Set("running", "Running", 0);
                Happen("pod", "start");
                await SayAsync(context, 200, new JsonObject());
                break;
            case ("POST", ["pods", var id, "stop"]) when Find(id) is { } pod:
                pod.Set("exited", "Exited", 0);
                await SayAsync(context, 200, new JsonObject());
                break;
            case ("DELETE", ["pods", var id]) when Find(id) is { } pod:
                Pods.TryRemove(pod.Name, out _);
                await SayAsync(context, 200, new JsonObject());
                break;
            case ("GET", ["volumes", "json"]):
                await SayAsync(context, 200, new JsonArray());
                break;
            case ("GET", ["events"]):
                await StreamAsync(context);
                break;
            default:
                await SayAsync(context, 404, new JsonObject { ["cause"] = "no such thing", ["message"] = "no such thing: " + string.Join('/', path) });
                break;
        }
    }

    public string IdOf(string reference) => Ids.GetValueOrDefault(reference)
        ?? (reference.Length == 64 ? reference : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(reference))));

    private FakePod? Find(string id) => Pods.Values.FirstOrDefault(pod => pod.Id == id || pod.Name == id);

    private async Task PlayAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        var text = await body.ReadToEndAsync();
        var document = JsonNode.Parse(text)!;
        var name = document["metadata"]!["name"]!.GetValue<string>();
        var labels = document["metadata"]!["labels"]!.AsObject().ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<string>(), StringComparer.Ordinal);
        var pod = new FakePod($"id{Interlocked.Increment(ref _ids)}", name, labels, text, IdOf(document["spec"]!["containers"]![0]!["image"]!.GetValue<string>()));
        if (!Pods.TryAdd(name, pod))
            await SayAsync(context, 500, new JsonObject { ["cause"] = "pod already exists", ["message"] = $"adding pod to state: name \"{name}\" is in use: pod already exists" });
        else
            await SayAsync(context, 200, new JsonObject { ["Pods"] = new JsonArray(new JsonObject { ["ID"] = pod.Id }) });
    }

    private async Task StreamAsync(HttpContext context)
    {
        Interlocked.Increment(ref EventStreams);
        var events = Channel.CreateUnbounded<string>();
        _listeners[events] = true;
        await context.Response.StartAsync();
        await context.Response.Body.FlushAsync();
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(context.RequestAborted))
            {
                await context.Response.WriteAsync(happened + "\n");
                await context.Response.Body.FlushAsync();
            }
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            _listeners.TryRemove(events, out _);
        }
    }

    private static async Task SayAsync(HttpContext context, int status, JsonNode answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString());
    }
}

internal sealed class FakePod(string id, string name, Dictionary<string, string> labels, string document, string image = "")
{
    public string Id { get; } = id;

    public string Name { get; } = name;

    public Dictionary<string, string> Labels { get; } = labels;

    public string Document { get; } = document;

    public string Image { get; } = image;

    public string Status { get; private set; } = "Created";

    public string Container { get; private set; } = "created";

    public int ExitCode { get; private set; }

    public void Set(string container, string pod, int exitCode) => (Container, Status, ExitCode) = (container, pod, exitCode);

    public JsonObject ToJson() => new()
    {
        ["Id"] = Id,
        ["Name"] = Name,
        ["Status"] = Status,
        ["InfraId"] = "infra",
        ["Labels"] = new JsonObject(Labels.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["Containers"] = new JsonArray(
            new JsonObject { ["Id"] = "c-" + Id, ["Names"] = Name + "-main", ["Status"] = Container },
            new JsonObject { ["Id"] = "infra", ["Names"] = "infra", ["Status"] = Container }),
    };
}
