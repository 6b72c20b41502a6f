namespace Flotta.Yggdrasil.Transport;

public sealed record PollOptions
{
    /// <summary>Between two requests where the server does not hold them: yggdrasil's five seconds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the server may hold a request; under the five minutes after which many a NAT forgets a connection.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>Between two looks at control/in while data/in is held, and so tells at once when the device is gone.</summary>
    public TimeSpan RelaxedControlInterval { get; init; } = TimeSpan.FromMinutes(1);
}
