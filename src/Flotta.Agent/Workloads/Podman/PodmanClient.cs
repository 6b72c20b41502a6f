using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Flotta.Agent.Workloads;

/// <summary>The calls of libpod's REST API that the agent makes: podman 4.3 and later.</summary>
public sealed class PodmanClient : IDisposable
{
    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Slow = TimeSpan.FromMinutes(2);
    private static readonly Version Oldest = new(4, 3);

    private readonly PodmanSocket _socket;
    private volatile string? _prefix;
    private volatile Version? _version;

    public PodmanClient(string socketPath, TimeProvider? time = null)
    {
        SocketPath = socketPath;
        _socket = new PodmanSocket(socketPath, time ?? TimeProvider.System);
    }

    public string SocketPath { get; }

    public void Dispose() => _socket.Dispose();

    /// <summary>Forgets the version that was negotiated: podman may have been upgraded while it was away.</summary>
    internal void Forget() => _prefix = null;

    internal async Task<Version> VersionAsync(CancellationToken cancellationToken)
    {
        await PrefixAsync(cancellationToken);
        return _version!;
    }

    /// <summary>All pods, foreign ones too: whoever wants a name must know whether it is free.</summary>
    internal Task<List<PodmanPod>> ListPodsAsync(CancellationToken cancellationToken) =>
        ReadAsync("pods/json", PodmanJson.Default.ListPodmanPod, cancellationToken);

    /// <summary>The ports of the host that a pod holds.</summary>
    internal async Task<IReadOnlySet<(int Port, bool Udp)>> PortsOfPodAsync(string pod, CancellationToken cancellationToken)
    {
        var inspected = await ReadAsync($"pods/{Escape(pod)}/json", PodmanJson.Default.PodmanPodInspected, cancellationToken);
        var ports = new HashSet<(int, bool)>();
        foreach (var (inside, bindings) in inspected.InfraConfig?.PortBindings ?? [])
        {
            foreach (var binding in bindings ?? [])
            {
                if (int.TryParse(binding.HostPort, CultureInfo.InvariantCulture, out var port))
                    ports.Add((port, inside.EndsWith("/udp", StringComparison.Ordinal)));
            }
        }
        return ports;
    }

    internal Task<PodmanContainer> InspectContainerAsync(string id, CancellationToken cancellationToken) =>
        ReadAsync($"containers/{Escape(id)}/json", PodmanJson.Default.PodmanContainer, cancellationToken);

    /// <summary>Creates the pod of a Kubernetes manifest without starting it.</summary>
    internal async Task<string> PlayAsync(string manifest, string? network, CancellationToken cancellationToken)
    {
        using var content = new StringContent(manifest, Encoding.UTF8, "application/yaml");
        var query = network is null ? "" : $"&network={Escape(network)}";
        using var response = await CallAsync(HttpMethod.Post, $"play/kube?start=false{query}", content, Slow, cancellationToken);
        var played = await ReadAsync(response, PodmanJson.Default.PodmanPlayed, cancellationToken);
        var pod = played.Pods is [{ Id.Length: > 0 } only] ? only : throw new PodmanException("podman made no pod of the manifest", response.StatusCode);
        return pod.ContainerErrors is { Count: > 0 } errors ? throw new PodmanException(PodmanSocket.Join(errors), response.StatusCode) : pod.Id!;
    }

    internal Task StartPodAsync(string pod, CancellationToken cancellationToken) => PostAsync($"pods/{Escape(pod)}/start", Slow, cancellationToken);

    internal Task StartContainerAsync(string id, CancellationToken cancellationToken) => PostAsync($"containers/{Escape(id)}/start", Slow, cancellationToken);

    internal Task StopContainerAsync(string id, int seconds, CancellationToken cancellationToken)
    {
        var grace = Math.Max(1, seconds);
        return PostAsync($"containers/{Escape(id)}/stop?t={grace}&timeout={grace}", Slow + TimeSpan.FromSeconds(grace), cancellationToken);
    }

    /// <summary>Runs a command in a container to its end; what it says is not kept. When that is cancelled, the command is killed.</summary>
    internal async Task<int> ExecAsync(string container, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        using var made = await SendAsync($"containers/{Escape(container)}/exec", new PodmanExecRequest(command, true, true), PodmanJson.Default.PodmanExecRequest, cancellationToken);
        var session = await ReadAsync(made, PodmanJson.Default.PodmanExec, cancellationToken);
        try
        {
            // Of a command that nobody listens to, podman notices the end only minutes later.
            using var content = Json(new PodmanExecStart(false), PodmanJson.Default.PodmanExecStart);
            using var request = new HttpRequestMessage(HttpMethod.Post, await PrefixAsync(cancellationToken) + $"exec/{Escape(session.Id)}/start") { Content = content };
            await using (var output = await _socket.OpenAsync(request, cancellationToken))
                await output.CopyToAsync(Stream.Null, cancellationToken);
            return (await ReadAsync($"exec/{Escape(session.Id)}/json", PodmanJson.Default.PodmanExec, cancellationToken)).ExitCode;
        }
        catch (OperationCanceledException)
        {
            await KillAsync(session.Id);
            throw;
        }
    }

    /// <param name="seconds">At least 1: podman takes 0 for "not said".</param>
    internal Task StopPodAsync(string pod, int seconds, CancellationToken cancellationToken)
    {
        // 4.3 calls the parameter t, others timeout; each ignores the other's.
        var grace = Math.Max(1, seconds);
        return PostAsync($"pods/{Escape(pod)}/stop?t={grace}&timeout={grace}", Slow + TimeSpan.FromSeconds(grace), cancellationToken);
    }

    internal Task RemovePodAsync(string pod, CancellationToken cancellationToken) => DeleteAsync($"pods/{Escape(pod)}?force=true", cancellationToken);

    internal Task<bool> ImageExistsAsync(string reference, CancellationToken cancellationToken) =>
        ExistsAsync($"images/{Escape(reference)}/exists", cancellationToken);

    /// <summary>What an image is, whatever it is called; null when it is not there.</summary>
    internal async Task<string?> ImageIdAsync(string reference, CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadAsync($"images/{Escape(reference)}/json", PodmanJson.Default.PodmanImage, cancellationToken)).Id is { Length: > 0 } id ? id.Replace("sha256:", "", StringComparison.Ordinal) : null;
        }
        catch (PodmanException exception) when (exception.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <param name="auth">Content of X-Registry-Auth, or null.</param>
    internal async Task PullAsync(string reference, string? auth, TimeSpan deadline, CancellationToken cancellationToken, string policy = "always")
    {
        var path = $"images/pull?reference={Escape(reference)}&policy={policy}";
        using var request = new HttpRequestMessage(HttpMethod.Post, await PrefixAsync(cancellationToken) + path);
        if (auth is not null)
            request.Headers.TryAddWithoutValidation("X-Registry-Auth", auth);
        // The status is sent before the pull begins; how it ended is in the stream.
        await foreach (var line in _socket.StreamAsync(request, deadline, null, cancellationToken))
        {
            if (PodmanSocket.Parse(line, PodmanJson.Default.PodmanPullLine)?.Error is { Length: > 0 } error)
                throw new PodmanException(PodmanSocket.OneLine(error), HttpStatusCode.InternalServerError);
        }
    }

    /// <summary>Whether it is gone; false when a container uses it.</summary>
    internal async Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken)
    {
        try
        {
            await DeleteAsync($"images/{Escape(reference)}?force=false", cancellationToken);
            return true;
        }
        catch (PodmanException exception) when (exception.Status is HttpStatusCode.Conflict or HttpStatusCode.InternalServerError)
        {
            return false;
        }
    }

    /// <summary>Where images and containers are kept.</summary>
    internal async Task<string?> StorageFolderAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadAsync("info", PodmanJson.Default.PodmanInfo, cancellationToken)).Store?.GraphRoot;
        }
        catch (PodmanException exception) when (!exception.Unreachable)
        {
            return null;
        }
    }

    internal Task<List<PodmanVolume>> ListVolumesAsync(string label, CancellationToken cancellationToken) =>
        ReadAsync($"volumes/json?filters={Filter("label", label)}", PodmanJson.Default.ListPodmanVolume, cancellationToken);

    internal Task<bool> VolumeExistsAsync(string name, CancellationToken cancellationToken) => ExistsAsync($"volumes/{Escape(name)}/exists", cancellationToken);

    internal async Task CreateVolumeAsync(string name, IReadOnlyDictionary<string, string> labels, Dictionary<string, string>? options, CancellationToken cancellationToken)
    {
        using var response = await SendAsync("volumes/create", new PodmanVolumeRequest(name, new(labels, StringComparer.Ordinal), options ?? []), PodmanJson.Default.PodmanVolumeRequest, cancellationToken);
    }

    internal Task RemoveVolumeAsync(string name, CancellationToken cancellationToken) => DeleteAsync($"volumes/{Escape(name)}", cancellationToken);

    /// <summary>What happens to pods and containers, until the connection ends. <paramref name="connected"/> runs once podman listens.</summary>
    internal async IAsyncEnumerable<PodmanEvent> EventsAsync(Action connected, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var path = $"events?stream=true&filters={Filter("type", "pod", "container")}";
        using var request = new HttpRequestMessage(HttpMethod.Get, await PrefixAsync(cancellationToken) + path);
        await foreach (var line in _socket.StreamAsync(request, Timeout.InfiniteTimeSpan, connected, cancellationToken))
        {
            if (PodmanSocket.Parse(line, PodmanJson.Default.PodmanEvent) is { } happened)
                yield return happened;
        }
    }

    /// <summary>What a container wrote since then, and goes on to write: frames of eight bytes and a line with its time.</summary>
    internal Task<Stream> LogsAsync(string id, DateTimeOffset since, CancellationToken cancellationToken) => LogsAsync(id, since, follow: true, tail: null, cancellationToken);

    /// <param name="tail">Only the last so many of what there is; null for all.</param>
    internal async Task<Stream> LogsAsync(string id, DateTimeOffset since, bool follow, int? tail, CancellationToken cancellationToken)
    {
        var last = tail is { } lines ? string.Create(CultureInfo.InvariantCulture, $"&tail={lines}") : "";
        var path = string.Create(CultureInfo.InvariantCulture, $"containers/{Escape(id)}/logs?follow={(follow ? "true" : "false")}&stdout=true&stderr=true&timestamps=true&since={since.ToUnixTimeSeconds()}{last}");
        using var request = new HttpRequestMessage(HttpMethod.Get, await PrefixAsync(cancellationToken) + path);
        return await _socket.OpenAsync(request, cancellationToken);
    }

    /// <summary>podman kills no command that it has started in a container, so that is done by hand.</summary>
    private async Task KillAsync(string session)
    {
        try
        {
            if (await ReadAsync($"exec/{Escape(session)}/json", PodmanJson.Default.PodmanExec, CancellationToken.None) is { Running: true, Pid: > 0 } hung)
                System.Diagnostics.Process.GetProcessById(hung.Pid).Kill();
        }
        catch (Exception exception) when (exception is PodmanException or ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
    }

    private async Task<HttpResponseMessage> SendAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var content = Json(body, type);
        return await CallAsync(HttpMethod.Post, path, content, Quick, cancellationToken);
    }

    // With its length: podman takes no chunks here.
    private static ByteArrayContent Json<T>(T body, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(body, type)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    /// <summary>Is podman there and new enough?</summary>
    private async Task<string> PrefixAsync(CancellationToken cancellationToken)
    {
        if (_prefix is { } known)
            return known;
        using var request = new HttpRequestMessage(HttpMethod.Get, "_ping");
        using var response = await _socket.CallAsync(request, Quick, cancellationToken);
        var said = response.Headers.TryGetValues("Libpod-API-Version", out var values) ? values.FirstOrDefault() : null;
        if (!Version.TryParse(said?.Split('-', '+')[0], out var version))
            throw new PodmanException($"what answers at {SocketPath} is not podman");
        if (version < Oldest)
            throw new PodmanException($"podman {said} is too old: {Oldest} or later is needed");
        _version = version;
        return _prefix = $"v{version}/libpod/";
    }

    private async Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, HttpContent? content, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, await PrefixAsync(cancellationToken) + path) { Content = content };
        return await _socket.CallAsync(request, deadline, cancellationToken);
    }

    private async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await CallAsync(HttpMethod.Get, path, null, Quick, cancellationToken);
        return await ReadAsync(response, type, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(await response.Content.ReadAsStreamAsync(cancellationToken), type, cancellationToken) ?? throw new PodmanException("podman answered with nothing", response.StatusCode);
        }
        catch (JsonException exception)
        {
            throw new PodmanException("podman's answer could not be read", response.StatusCode, exception);
        }
    }

    private async Task PostAsync(string path, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var response = await CallAsync(HttpMethod.Post, path, null, deadline, cancellationToken);
    }

    private async Task<bool> ExistsAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await CallAsync(HttpMethod.Get, path, null, Quick, cancellationToken);
            return true;
        }
        catch (PodmanException exception) when (exception.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>What is gone already is what was wanted.</summary>
    private async Task DeleteAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await CallAsync(HttpMethod.Delete, path, null, Slow, cancellationToken);
        }
        catch (PodmanException exception) when (exception.Status == HttpStatusCode.NotFound)
        {
        }
    }

    private static string Filter(string key, params string[] values) =>
        Escape(JsonSerializer.Serialize(new(StringComparer.Ordinal) { [key] = values }, PodmanJson.Default.DictionaryStringStringArray));

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
