using System.Collections.Concurrent;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>From the token of a request to its caller. A signature is verified once; whether the token still counts is looked at each time.</summary>
internal sealed class BearerTokens(AccountTokens accounts, StaticTokens people)
{
    // Longer ones are nobody's; so many different ones at a time are more than a fleet's controllers have.
    private const int Longest = 16 * 1024;
    private const int Most = 4096;

    private readonly ConcurrentDictionary<string, (AccountToken Token, Caller Caller)> verified = new(StringComparer.Ordinal);

    /// <summary>Null: the token is nobody's.</summary>
    public (Caller? Caller, AccountToken? Token, string? Problem) Find(string token)
    {
        if (token.Length is 0 or > Longest)
            return (null, null, "invalid bearer token");
        if (StaticToken.Looks(token))
            return people.Find(token) is { } person ? (person, null, null) : (null, null, "invalid bearer token");
        var hash = StaticToken.HashOf(token);
        if (!verified.TryGetValue(hash, out var known))
        {
            if (accounts.Read(token) is not { } read)
                return (null, null, "invalid bearer token");
            known = (read, AccountTokens.CallerOf(read));
            if (verified.Count >= Most)
                verified.Clear();
            verified[hash] = known;
        }

        return accounts.Problem(known.Token) is { } problem ? (null, known.Token, problem) : (known.Caller, known.Token, null);
    }
}
