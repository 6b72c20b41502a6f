using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>A user of this machine.</summary>
internal sealed record Account(string Name, uint Id, uint Group, string Home)
{
    public const string Accounts = "/etc/passwd";

    public string RuntimeFolder => string.Create(CultureInfo.InvariantCulture, $"/run/user/{Id}");

    /// <summary>From the text of /etc/passwd.</summary>
    public static Account? Named(string accounts, string name) => Find(accounts, fields => fields[0] == name);

    public static Account? WithId(string accounts, uint id) => Find(accounts, fields => fields[2] == id.ToString(CultureInfo.InvariantCulture));

    private static Account? Find(string accounts, Func<string[], bool> wanted)
    {
        foreach (var line in accounts.Split('\n'))
        {
            var fields = line.Split(':');
            if (fields.Length >= 7 && wanted(fields) && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out var id)
                && uint.TryParse(fields[3], CultureInfo.InvariantCulture, out var group) && fields[5].StartsWith('/'))
            {
                return new Account(fields[0], id, group, fields[5]);
            }
        }
        return null;
    }
}
