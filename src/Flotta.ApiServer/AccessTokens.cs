using Flotta.ApiServer.Access;
using Flotta.ApiServer.Access.Tokens;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer;

/// <summary>Tokens for people, in the data directory of a server that may be running: it sees them with the next request.</summary>
public static class AccessTokens
{
    /// <summary>A kubeconfig with a new token.</summary>
    /// <exception cref="ApiServerStartException">There is no server's data in the directory, or it cannot be written.</exception>
    public static async Task<string> KubeconfigAsync(
        string dataDirectory, Uri address, string user, IReadOnlyList<string> groups, TimeSpan lifetime, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(time);
        var keys = Keys(dataDirectory);
        using var authority = Authority.Open(keys, time);
        var (kept, shown) = StaticToken.Make(user, groups, time.GetUtcNow() + lifetime);
        await ChangeAsync(keys, all => all.Append(kept), time, cancellationToken);
        return KubeconfigText.WithToken(authority, address, user, shown);
    }

    /// <summary>Takes all tokens of a user away.</summary>
    /// <returns>How many there were.</returns>
    /// <exception cref="ApiServerStartException">There is no server's data in the directory, or it cannot be written.</exception>
    public static async Task<int> RevokeAsync(string dataDirectory, string user, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(time);
        var revoked = 0;
        await ChangeAsync(
            Keys(dataDirectory),
            all =>
            {
                revoked = all.Count(one => one.User == user);
                return all.Where(one => one.User != user);
            },
            time, cancellationToken);
        return revoked;
    }

    private static string Keys(string dataDirectory)
    {
        var keys = DataDirectory.KeysIn(Path.GetFullPath(dataDirectory));
        return File.Exists(Path.Combine(keys, "ca.pem"))
            ? keys
            : throw new ApiServerStartException($"There is no API server's data in {Path.GetFullPath(dataDirectory)}: start one there first, or name its directory.");
    }

    private static async Task ChangeAsync(
        string keys, Func<IReadOnlyList<StaticToken>, IEnumerable<StaticToken>> change, TimeProvider time, CancellationToken cancellationToken)
    {
        var file = TokenFile.In(keys);
        try
        {
            await TokenFile.ChangeAsync(file, change, time, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ApiServerStartException($"The tokens in {file} cannot be changed: {e.Message}", e);
        }
    }
}
