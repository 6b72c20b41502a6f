using System.Text;
using System.Text.Json;
using Flotta.Wire;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Dispatch;

/// <summary>
/// The daemon between server and workers: what a worker sends goes out at once, each message as a stream of its own, so none waits behind another;
/// what comes in goes to the worker of its directive.
/// </summary>
public sealed partial class Dispatcher(HttpsTransport transport, Registry registry, SocketAddress address, DaemonConfig config, ILogger<Dispatcher> logger, TimeProvider time) : IDataReceiver
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, CancellationTokenSource> _underWay = new(StringComparer.Ordinal);
    private string? _tag;
    private string? _nobody;

    /// <summary>What the worker of the last message took. None while nobody took it, so that it is sent again.</summary>
    public string? Tag => Volatile.Read(ref _tag);

    public IReadOnlyDictionary<string, GrpcHandler> Calls => new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
    {
        [Contract.Calls.Register] = RegisterAsync,
        [Contract.Calls.Send] = SendAsync,
        [Contract.Calls.GetConfig] = (_, _, _) => Task.FromResult(config.Write()),
    };

    /// <summary>A worker has come: what it missed has to be asked for again.</summary>
    public void Forget() => Volatile.Write(ref _tag, null);

    public async Task<Receipt> ReceiveAsync(ReadOnlyMemory<byte> body, string? tag, CancellationToken cancellationToken)
    {
        Message message;
        try
        {
            message = WireJson.Read(body.Span, WireJson.Types.Message);
        }
        catch (WireFormatException exception)
        {
            LogUnreadable(logger, exception.Message);
            return Receipt.Refused;
        }

        if (message.Type is { } type && !string.Equals(type, MessageTypes.Data, StringComparison.Ordinal))
            return Receipt.Refused;
        registry.Sweep();
        if (registry.Find(message.Directive ?? "") is not { } worker)
        {
            if (_nobody != message.Directive)
                LogNobody(logger, _nobody = message.Directive ?? "");
            return Receipt.Failed;
        }

        _nobody = null;
        var receipt = await DeliverAsync(worker, message, cancellationToken);
        Volatile.Write(ref _tag, receipt == Receipt.Taken ? tag : null);
        return receipt;
    }

    /// <summary>Tells every worker, side by side; one that does not answer keeps nobody.</summary>
    public Task NotifyAsync(WorkerEvent happened, CancellationToken cancellationToken) =>
        Task.WhenAll(registry.Workers.Select(worker => TellAsync(worker, happened, cancellationToken)));

    /// <summary>Tells every worker until it has heard, also those that come later. Does not end by itself.</summary>
    public async Task KeepTellingAsync(WorkerEvent happened, CancellationToken cancellationToken)
    {
        static (string, int, string?) Who(RegisteredWorker worker) => (worker.Handler, worker.Pid, worker.StartedAt);
        var backOff = new BackOff(TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(1));
        var told = new HashSet<(string, int, string?)>();
        using var changed = new Signal();
        registry.Changed += changed.Set;
        try
        {
            while (true)
            {
                var workers = registry.Workers;
                told.IntersectWith(workers.Select(Who));
                var left = workers.Where(worker => !told.Contains(Who(worker))).ToList();
                var heard = await Task.WhenAll(left.Select(worker => TellAsync(worker, happened, cancellationToken)));
                told.UnionWith(left.Where((_, which) => heard[which]).Select(Who));
                var isDone = heard.All(one => one);
                if (isDone)
                    backOff.Reset();
                // One that has just registered may not listen yet.
                await changed.WaitAsync(isDone ? TimeSpan.MaxValue : backOff.Next(), time, cancellationToken);
            }
        }
        finally
        {
            registry.Changed -= changed.Set;
        }
    }

    /// <summary>The server does not want a message handled any more: the call that delivers it is given up.</summary>
    public void Cancel(string messageId)
    {
        lock (_lock)
        {
            if (_underWay.TryGetValue(messageId, out var delivery))
                delivery.Cancel();
        }
    }

    private async Task<bool> TellAsync(RegisteredWorker worker, WorkerEvent happened, CancellationToken cancellationToken)
    {
        using var channel = new GrpcChannel(worker.Address, time);
        try
        {
            await channel.CallAsync(Contract.Calls.NotifyEvent, EventNotification.Write(happened), Patience, cancellationToken);
            return true;
        }
        catch (GrpcException exception)
        {
            LogNotDelivered(logger, worker.Handler, exception.Message);
            return false;
        }
    }

    private async Task<Receipt> DeliverAsync(RegisteredWorker worker, Message message, CancellationToken cancellationToken)
    {
        var id = message.MessageId ?? "";
        using var delivery = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var channel = new GrpcChannel(worker.Address, time);
        lock (_lock)
            _underWay[id] = delivery;
        try
        {
            if (await ContentAsync(worker, message, delivery.Token) is not { } content)
                return Receipt.Failed;
            var data = new WorkerData(id, message.Metadata ?? new Dictionary<string, string>(StringComparer.Ordinal), content, message.ResponseTo ?? "", message.Directive!);
            await channel.CallAsync(Contract.Calls.Deliver, data.Write(), Patience, delivery.Token);
            return Receipt.Taken;
        }
        catch (GrpcException exception)
        {
            LogNotDelivered(logger, worker.Handler, exception.Message);
            return Receipt.Failed;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Receipt.Refused;
        }
        finally
        {
            lock (_lock)
                _underWay.Remove(id);
        }
    }

    private async Task<byte[]?> ContentAsync(RegisteredWorker worker, Message message, CancellationToken cancellationToken)
    {
        if (!worker.DetachedContent)
            return message.Content is { } content ? Encoding.UTF8.GetBytes(content.GetRawText()) : [];
        if (message.Content is not { ValueKind: JsonValueKind.String } link || !Uri.TryCreate(link.GetString(), UriKind.Absolute, out var uri))
        {
            LogNotDelivered(logger, worker.Handler, "its content should be elsewhere, but the message does not say where");
            return null;
        }

        var answer = await transport.FetchAsync(uri, cancellationToken);
        return answer is { IsOk: true, Problem: null } ? answer.Body.ToArray() : null;
    }

    private Task<byte[]> RegisterAsync(ReadOnlyMemory<byte> bytes, PeerCredentials peer, CancellationToken cancellationToken)
    {
        var request = WorkerRegistration.Read(bytes);
        registry.Sweep();
        var worker = registry.Register(request, peer, address);
        if (worker is null)
            LogRefused(logger, request.Handler);
        else
            LogRegistered(logger, worker.Handler, worker.Address.Text, worker.Pid);
        return Task.FromResult(new WorkerRegistered(worker is not null, worker?.Address.Text ?? "").Write());
    }

    private async Task<byte[]> SendAsync(ReadOnlyMemory<byte> bytes, PeerCredentials peer, CancellationToken cancellationToken)
    {
        if (transport.Identity is null)
            throw new GrpcException(GrpcStatus.Unavailable, "the daemon has no certificate that it can use yet");
        var data = WorkerData.Read(bytes);
        var answer = data.Directive.Contains("://", StringComparison.Ordinal)
            ? Uri.TryCreate(data.Directive, UriKind.Absolute, out var uri)
                ? await transport.PostToAsync(uri, data.Content, data.Metadata, cancellationToken)
                : throw new GrpcException(GrpcStatus.InvalidArgument, "the directive is no address")
            : await transport.PostAsync(Channel.Data, MessageOf(data), cancellationToken);
        if (answer.Problem is not null || !answer.IsOk)
            LogSent(logger, data.ToString(), answer.ToString());
        return WorkerResponse.Write(Relay.Write(answer));
    }

    private Message MessageOf(WorkerData data) =>
        Message.Data(data.Directive, Content(data.Content), time.GetUtcNow()) with
        {
            MessageId = data.MessageId.Length > 0 ? data.MessageId : Guid.NewGuid().ToString(),
            ResponseTo = data.ResponseTo,
            Metadata = data.Metadata.Count > 0 ? data.Metadata : null,
        };

    // Lines of JSON, one after the other, are no JSON; the original sends such a message nowhere and says nothing.
    private static JsonElement? Content(ReadOnlyMemory<byte> content)
    {
        if (content.IsEmpty)
            return null;
        try
        {
            using var document = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 64 });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return WireJson.ToElement(Encoding.UTF8.GetString(content.Span), WireJson.Types.String);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "a message on data/in cannot be read and is dropped: {Problem}")]
    private static partial void LogUnreadable(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "no worker handles the directive {Directive}; it is asked for again")]
    private static partial void LogNobody(ILogger logger, string directive);

    [LoggerMessage(Level = LogLevel.Warning, Message = "worker {Handler} did not take a message: {Problem}")]
    private static partial void LogNotDelivered(ILogger logger, string handler, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "worker {Handler} registered, listens at {Address}, pid {Pid}")]
    private static partial void LogRegistered(ILogger logger, string handler, string address, int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a second worker for {Handler} is refused")]
    private static partial void LogRefused(ILogger logger, string handler);

    [LoggerMessage(Level = LogLevel.Warning, Message = "what a worker sent ({Message}) was answered: {Answer}")]
    private static partial void LogSent(ILogger logger, string message, string answer);
}
