using System.Net;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Fairness;

namespace Flotta.ApiServer;

/// <summary>Where the server keeps its data and listens.</summary>
public sealed record ApiServerOptions
{
    /// <summary>Made when absent; one server at a time may use it.</summary>
    public required string DataDirectory { get; init; }

    public IPAddress Listen { get; init; } = IPAddress.Loopback;

    /// <summary>0 for any that is free.</summary>
    public int Port { get; init; } = 6443;

    /// <summary>Connections at the same time; further ones are closed at once.</summary>
    public int MaxConnections { get; init; } = 10_000;

    internal FairShareLimits Limits { get; init; } = new();

    /// <summary>Asked before writes like validating webhooks, in this process.</summary>
    public IReadOnlyList<WriteCheck> Checks { get; init; } = [];
}

/// <summary>What is refused of one kind of object. Not asked about deletions, nor about subresources.</summary>
/// <param name="Name">By which a refusal names it, as it would a webhook.</param>
/// <param name="Refusals">From what is there (null for a creation) and what is to be written, in the version it is stored in.</param>
public sealed record WriteCheck(string Name, string Group, string Resource, Func<JsonObject?, JsonObject, IReadOnlyList<string>> Refusals);
