using System.Security.Cryptography;
using System.Text;
using Flotta.Agent.Files;
using Flotta.Wire;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Dispatch;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Attached;

/// <summary>
/// The agent as a worker of a yggdrasil daemon: the daemon speaks to the server, with the certificate files that it was told of and that we
/// write, as the original worker does. What was there before is kept, and put back when the device is let go.
/// </summary>
internal sealed partial class DaemonUplink : IOutbound, ILink, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    // Go's daemon looks at the files when the kernel tells it of a change, and swaps its client; nobody says when it is through.
    private static readonly TimeSpan Reload = TimeSpan.FromSeconds(1);
    private readonly GrpcChannel _dispatcher;
    private readonly DaemonConfig _config;
    private readonly DataDirectory _folder;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly System.Threading.Channels.Channel<Message> _arrived = System.Threading.Channels.Channel.CreateBounded<Message>(
        new System.Threading.Channels.BoundedChannelOptions(1) { FullMode = System.Threading.Channels.BoundedChannelFullMode.DropOldest });

    public DaemonUplink(GrpcChannel dispatcher, DaemonConfig config, DataDirectory folder, ILogger<DaemonUplink> logger, TimeProvider time) =>
        (_dispatcher, _config, _folder, _logger, _time) = (dispatcher, config, folder, logger, time);

    public event Action<Identity>? Unauthorized;

    public Identity? Identity { get; private set; }

    private string Kept => _folder["bootstrap.pem"];

    /// <summary>What the daemon calls.</summary>
    public IReadOnlyDictionary<string, GrpcHandler> Calls => new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
    {
        [Yggdrasil.Contract.Calls.Deliver] = DeliverAsync,
        [Yggdrasil.Contract.Calls.NotifyEvent] = NotifyAsync,
    };

    /// <summary>The certificate that the device was delivered with: in the daemon's files until we write there, then kept by us.</summary>
    public Identity Bootstrap()
    {
        if (File.Exists(Kept))
        {
            var pem = File.ReadAllText(Kept);
            return Identity.FromPem(pem, pem, Kept, Kept);
        }

        return Identity.FromFiles(_config.CertFile, _config.KeyFile);
    }

    public void Use(Identity identity)
    {
        Identity = identity;
        Place(identity);
    }

    public Task<Answer> PostAsync(Channel channel, Message message, CancellationToken cancellationToken) => SendAsync(message, Identity, cancellationToken);

    // The daemon's requests are its own affair, and so are the headers that it sends.
    public async Task<Answer> PostAsAsync(Identity identity, Channel channel, Message message, CancellationToken cancellationToken, TimeSpan? hold = null)
    {
        if (Place(identity))
            await Task.Delay(Reload, _time, cancellationToken);
        return await SendAsync(message, identity, cancellationToken);
    }

    // The daemon's requests are its own affair.
    public long? Holding => null;

    public void AskNow()
    {
        // The daemon asks the server by itself.
    }

    public async Task<ControlEnd> RunAsync(IDataReceiver receiver, string commonName, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(receiver, stop.Token);
        var first = await Task.WhenAny(receiving, _disconnected.Task.WaitAsync(stop.Token));
        await stop.CancelAsync();
        await receiving.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await first;
        return new ControlEnd(ReconnectAfter: null);
    }

    /// <summary>The device was let go: the daemon gets back what it had.</summary>
    public void Restore()
    {
        if (!File.Exists(Kept))
            return;
        Place(Bootstrap());
        DurableFile.Delete(Kept);
    }

    public void Dispose() => _dispatcher.Dispose();

    private async Task ReceiveAsync(IDataReceiver receiver, CancellationToken cancellationToken)
    {
        await foreach (var message in _arrived.Reader.ReadAllAsync(cancellationToken))
        {
            var body = WireJson.Write(message, WireJson.Types.Message);
            if (await receiver.ReceiveAsync(body, null, cancellationToken) != Receipt.Failed)
                continue;
            // The daemon has been told that it is taken, and does not ask for it again.
            var backOff = new BackOff(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));
            var newer = _arrived.Reader.WaitToReadAsync(cancellationToken).AsTask();
            do
                await Task.WhenAny(newer, Task.Delay(backOff.Next(), _time, cancellationToken));
            while (!newer.IsCompleted && await receiver.ReceiveAsync(body, null, cancellationToken) == Receipt.Failed);
        }
    }

    private async Task<Answer> SendAsync(Message message, Identity? asWhom, CancellationToken cancellationToken)
    {
        var content = message.Content is { } element ? Encoding.UTF8.GetBytes(element.GetRawText()) : [];
        var data = new WorkerData(message.MessageId!, new Dictionary<string, string>(StringComparer.Ordinal), content, message.ResponseTo ?? "", message.Directive!);
        Answer answer;
        try
        {
            answer = Relay.Read(WorkerResponse.Read(await _dispatcher.CallAsync(Yggdrasil.Contract.Calls.Send, data.Write(), Patience, cancellationToken)));
        }
        catch (Exception exception) when (exception is GrpcException or ContractException)
        {
            answer = Answer.None($"the daemon: {exception.Message}");
        }

        if (answer.Status == 401 && asWhom is not null)
            Unauthorized?.Invoke(asWhom);
        return answer;
    }

    /// <summary>Whether the daemon's files had to be written: certificate first, so that the daemon reads a pair when the key comes.</summary>
    private bool Place(Identity identity)
    {
        var certificate = identity.Certificate.ExportCertificatePem() + "\n";
        if (Holds(certificate))
            return false;
        if (!File.Exists(Kept) && Identity.FromFiles(_config.CertFile, _config.KeyFile) is { } before && before.Certificate.Thumbprint != identity.Certificate.Thumbprint)
            DurableFile.Write(Kept, Encoding.ASCII.GetBytes(Key(before) + before.Certificate.ExportCertificatePem() + "\n"));
        DurableFile.Write(_config.CertFile, Encoding.ASCII.GetBytes(certificate));
        DurableFile.Write(_config.KeyFile, Encoding.ASCII.GetBytes(Key(identity)));
        LogPlaced(_logger, identity.CommonName, _config.CertFile);
        return true;
    }

    private bool Holds(string certificate)
    {
        try
        {
            return Identity.FromFiles(_config.CertFile, _config.KeyFile).Certificate.ExportCertificatePem() + "\n" == certificate;
        }
        catch (CredentialException)
        {
            return false;
        }
    }

    private static string Key(Identity identity)
    {
        using AsymmetricAlgorithm? key = (AsymmetricAlgorithm?)System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(identity.Certificate)
            ?? System.Security.Cryptography.X509Certificates.RSACertificateExtensions.GetRSAPrivateKey(identity.Certificate);
        return (key ?? throw new CredentialException("The key is of a kind that cannot be written.")).ExportPkcs8PrivateKeyPem() + "\n";
    }

    private Task<byte[]> DeliverAsync(ReadOnlyMemory<byte> bytes, PeerCredentials peer, CancellationToken cancellationToken)
    {
        var data = WorkerData.Read(bytes);
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(data.Content, new System.Text.Json.JsonDocumentOptions { MaxDepth = WireJson.MaxDepth });
            // Only the newest counts; the original piles them up and takes them in any order.
            _arrived.Writer.TryWrite(Message.Data(data.Directive, document.RootElement.Clone(), _time.GetUtcNow()) with { MessageId = data.MessageId });
        }
        catch (System.Text.Json.JsonException exception)
        {
            LogUnreadable(_logger, exception.Message);
        }

        return Task.FromResult(WorkerResponse.Write([]));
    }

    private Task<byte[]> NotifyAsync(ReadOnlyMemory<byte> bytes, PeerCredentials peer, CancellationToken cancellationToken)
    {
        if (EventNotification.Read(bytes) == WorkerEvent.ReceivedDisconnect)
            _disconnected.TrySetResult();
        return Task.FromResult(Array.Empty<byte>());
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "the daemon is given the certificate of {Name} in {Path}")]
    private static partial void LogPlaced(ILogger logger, string name, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "a message of the daemon cannot be read: {Problem}")]
    private static partial void LogUnreadable(ILogger logger, string problem);
}
