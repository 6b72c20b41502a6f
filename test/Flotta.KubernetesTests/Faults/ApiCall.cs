namespace Flotta.KubernetesTests.Faults;

/// <summary>One request that a program made of the API server, from when it arrived.</summary>
internal sealed record ApiCall(DateTimeOffset At, string Method, string Path, string Query, string UserAgent)
{
    public bool IsWrite => Method != "GET";

    public bool IsWatch => Method == "GET" && Query.Contains("watch=true", StringComparison.Ordinal);

    /// <summary>Lists ask for a page at a time; what asks for one object has no query.</summary>
    public bool IsList => Method == "GET" && Query.Contains("limit=", StringComparison.Ordinal);

    public bool IsLease => Path.Contains("/leases/", StringComparison.Ordinal) || Path.EndsWith("/leases", StringComparison.Ordinal);

    public string Kind => Path.Split('/').Reverse().First(part => part.EndsWith('s') && part != "status");
}

/// <summary>How a request is answered badly: late, or with a status and perhaps a time to come back at.</summary>
internal sealed record Trouble(TimeSpan Delay, int Status = 0, int? RetryAfter = null);
