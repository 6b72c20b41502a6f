using System.Globalization;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>Makes tokens of service accounts and looks at those that come back.</summary>
internal sealed class AccountTokens(AccountKey key, ObjectStore store, TimeProvider time)
{
    /// <summary>Who says so in each token, and for whom a token is when nobody says otherwise.</summary>
    public const string Issuer = "https://kubernetes.default.svc.cluster.local";

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    public (string Token, DateTimeOffset Until) Issue(StoredObject account, IReadOnlyList<string> audiences, TimeSpan lifetime, BoundObject? bound)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var token = new AccountToken(
            Guid.NewGuid().ToString(), Issuer, audiences.Count > 0 ? audiences : [Issuer], account.Key.Namespace, account.Key.Name, StoredMetadata.Of(account).Uid, bound, now, now + lifetime);
        return (token.Sign(key), token.Until);
    }

    /// <summary>Signed by us, whatever the hour.</summary>
    public AccountToken? Read(string token) => AccountToken.Read(token, key) is { Issuer: Issuer } found ? found : null;

    /// <summary>What is wrong with it now; null: nothing.</summary>
    public string? Problem(AccountToken token)
    {
        var now = time.GetUtcNow();
        if (now >= token.Until)
            return "service account token has expired";
        if (now < token.From - Skew)
            return "service account token is not valid yet";
        if (!Lives(new ObjectKey("serviceaccounts", token.Namespace, token.Account), token.AccountUid))
            return "service account has been deleted or replaced";
        // There are no pods and nodes here with which a token could end.
        return token.Bound is null || (token.Bound.Kind == "secret" && Lives(new ObjectKey("secrets", token.Namespace, token.Bound.Name), token.Bound.Uid))
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"{token.Bound.Kind} to which the token is bound is gone");
    }

    public static Caller CallerOf(AccountToken token) =>
        new(AccountName.UserOf(token.Namespace, token.Account), AccountName.GroupsOf(token.Namespace))
        {
            Uid = token.AccountUid,
            Extra = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { ["authentication.kubernetes.io/credential-id"] = ["JTI=" + token.Id] },
        };

    private bool Lives(ObjectKey key, string uid) => store.State.Get(key) is { } found && StoredMetadata.Of(found).Uid == uid;
}
