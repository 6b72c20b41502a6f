namespace Flotta.Yggdrasil.Transport;

public sealed record PollOptions
{
    /// <summary>Between two requests where the server does not hold them: yggdrasil's five seconds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the server may hold a request; under the five minutes after which many a NAT forgets a connection.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>Between two looks at control/in while data/in is held, and so tells at once when there is something to be seen.</summary>
    public TimeSpan RelaxedControlInterval { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Where each byte and each time awake is paid for. At worst (a connection that died unnoticed) news are that much later.</summary>
    public static PollOptions Thrifty { get; } = new()
    {
        Interval = TimeSpan.FromMinutes(15),
        Hold = TimeSpan.FromMinutes(30),
        RelaxedControlInterval = TimeSpan.FromHours(6),
    };
}
