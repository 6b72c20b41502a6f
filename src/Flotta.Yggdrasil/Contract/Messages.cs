namespace Flotta.Yggdrasil.Contract;

/// <summary>Paths of the calls: package yggdrasil, proto3, all unary.</summary>
public static class Calls
{
    public const string Register = "/yggdrasil.Dispatcher/Register";
    public const string Send = "/yggdrasil.Dispatcher/Send";
    public const string GetConfig = "/yggdrasil.Dispatcher/GetConfig";
    public const string Deliver = "/yggdrasil.Worker/Send";
    public const string NotifyEvent = "/yggdrasil.Worker/NotifyEvent";
}

/// <summary>A worker asks to be given what comes with a directive.</summary>
public sealed record WorkerRegistration(string Handler, long Pid, bool DetachedContent, IReadOnlyDictionary<string, string> Features)
{
    public byte[] Write() => new ProtoWriter().Text(1, Handler).Integer(2, Pid).Flag(3, DetachedContent).Map(4, Features).ToArray();

    public static WorkerRegistration Read(ReadOnlyMemory<byte> bytes)
    {
        var features = new Dictionary<string, string>(StringComparer.Ordinal);
        var request = new WorkerRegistration("", 0, DetachedContent: false, features);
        foreach (var field in ProtoField.Read(bytes))
        {
            switch (field.Number)
            {
                case 1:
                    request = request with { Handler = field.Text };
                    break;
                case 2:
                    request = request with { Pid = (long)field.Integer };
                    break;
                case 3:
                    request = request with { DetachedContent = field.Integer != 0 };
                    break;
                case 4:
                    field.AddTo(features);
                    break;
            }
        }

        return request;
    }
}

/// <param name="Address">Where the worker has to listen.</param>
public sealed record WorkerRegistered(bool Registered, string Address)
{
    public byte[] Write() => new ProtoWriter().Flag(1, Registered).Text(2, Address).ToArray();

    public static WorkerRegistered Read(ReadOnlyMemory<byte> bytes)
    {
        var response = new WorkerRegistered(Registered: false, "");
        foreach (var field in ProtoField.Read(bytes))
        {
            if (field.Number == 1)
                response = response with { Registered = field.Integer != 0 };
            else if (field.Number == 2)
                response = response with { Address = field.Text };
        }

        return response;
    }
}

/// <summary>One message, either way.</summary>
public sealed record WorkerData(string MessageId, IReadOnlyDictionary<string, string> Metadata, ReadOnlyMemory<byte> Content, string ResponseTo, string Directive)
{
    public byte[] Write() => new ProtoWriter().Text(1, MessageId).Map(2, Metadata).Blob(3, Content.Span).Text(4, ResponseTo).Text(5, Directive).ToArray();

    public static WorkerData Read(ReadOnlyMemory<byte> bytes)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var data = new WorkerData("", metadata, default, "", "");
        foreach (var field in ProtoField.Read(bytes))
        {
            switch (field.Number)
            {
                case 1:
                    data = data with { MessageId = field.Text };
                    break;
                case 2:
                    field.AddTo(metadata);
                    break;
                case 3:
                    data = data with { Content = field.Bytes };
                    break;
                case 4:
                    data = data with { ResponseTo = field.Text };
                    break;
                case 5:
                    data = data with { Directive = field.Text };
                    break;
            }
        }

        return data;
    }

    // The content may hold secrets.
    public override string ToString() => $"{Directive} {MessageId}";
}

/// <summary>What became of a message: nothing from a worker; from the dispatcher <see cref="Dispatch.Relay"/>'s JSON.</summary>
public static class WorkerResponse
{
    public static byte[] Write(ReadOnlySpan<byte> response) => new ProtoWriter().Blob(1, response).ToArray();

    public static ReadOnlyMemory<byte> Read(ReadOnlyMemory<byte> bytes) => ProtoField.Read(bytes).LastOrDefault(field => field.Number == 1).Bytes;
}

public enum WorkerEvent
{
    Unknown,
    ReceivedDisconnect,
    UnexpectedDisconnect,
    ConnectionRestored,
}

public static class EventNotification
{
    public static byte[] Write(WorkerEvent happened) => new ProtoWriter().Integer(1, (long)happened).ToArray();

    public static WorkerEvent Read(ReadOnlyMemory<byte> bytes) => (WorkerEvent)(int)ProtoField.Read(bytes).LastOrDefault(field => field.Number == 1).Integer;
}

/// <summary>What a worker may know of the daemon.</summary>
public sealed record DaemonConfig
{
    public string LogLevel { get; init; } = "";

    public string ClientId { get; init; } = "";

    public string SocketAddress { get; init; } = "";

    public string Server { get; init; } = "";

    public string CertFile { get; init; } = "";

    public string KeyFile { get; init; } = "";

    /// <summary>Joined by semicolons on the wire.</summary>
    public IReadOnlyList<string> CaRoot { get; init; } = [];

    public byte[] Write() =>
        new ProtoWriter().Text(1, LogLevel).Text(2, ClientId).Text(3, SocketAddress).Text(4, Server).Text(5, CertFile).Text(6, KeyFile).Text(7, string.Join(';', CaRoot)).ToArray();

    public static DaemonConfig Read(ReadOnlyMemory<byte> bytes)
    {
        var config = new DaemonConfig();
        foreach (var field in ProtoField.Read(bytes))
        {
            config = field.Number switch
            {
                1 => config with { LogLevel = field.Text },
                2 => config with { ClientId = field.Text },
                3 => config with { SocketAddress = field.Text },
                4 => config with { Server = field.Text },
                5 => config with { CertFile = field.Text },
                6 => config with { KeyFile = field.Text },
                7 => config with { CaRoot = field.Text.Split(';', StringSplitOptions.RemoveEmptyEntries) },
                _ => config,
            };
        }

        return config;
    }
}
