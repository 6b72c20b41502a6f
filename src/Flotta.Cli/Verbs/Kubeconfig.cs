using System.CommandLine;
using Flotta.ApiServer;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta kubeconfig</c>: lets a person in, also while the server runs. What they may do is for roles and bindings to say.</summary>
internal static class Kubeconfig
{
    public static Command Command()
    {
        var dataDirectory = Options.DataDirectory();
        var user = new Option<string>("--user") { Description = "Name of the person, as in bindings", HelpName = "NAME", Required = true };
        var group = new Option<string[]>("--group") { Description = "Group that the person is in; may be repeated", HelpName = "NAME", DefaultValueFactory = _ => [] };
        var days = new Option<int>("--valid-days") { Description = "For how many days the token is good", HelpName = "DAYS", DefaultValueFactory = _ => 365 };
        days.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !(int.TryParse(result.Tokens[0].Value, out var number) && number is > 0 and <= 3650))
                result.AddError($"--valid-days takes a number from 1 to 3650, not '{result.Tokens[0].Value}'.");
        });
        var address = Options.Address("--server", "https://10.0.0.7:6443", "Address of the Kubernetes API as the person reaches it; default: the one in DIR/kubeconfig");
        var revoke = new Option<bool>("--revoke") { Description = "Take all tokens of this person away instead" };
        var command = new Command("kubeconfig", "Print a kubeconfig with a token for a person, for the server whose data directory this is.")
        {
            dataDirectory, user, group, days, address, revoke,
        };
        command.WithExamples(
            "flotta kubeconfig --data-dir /var/lib/flotta --user alice --group dev > alice.kubeconfig",
            "kubectl create rolebinding dev --clusterrole=edit --group=dev --namespace shop",
            "flotta kubeconfig --data-dir /var/lib/flotta --user alice --revoke");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (folder, name) = (parsed.GetRequiredValue(dataDirectory), parsed.GetRequiredValue(user));
            if (name.Length == 0)
                throw new FailureException("--user takes a name.");
            if (parsed.GetValue(revoke))
            {
                var count = await AccessTokens.RevokeAsync(folder, name, TimeProvider.System, cancellationToken);
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"{count} tokens of {name} revoked");
                return 0;
            }

            var where = parsed.GetValue(address) ?? new Uri(KubeAccess.Load(Path.Combine(folder, "kubeconfig")).Host);
            await parsed.InvocationConfiguration.Output.WriteAsync(await AccessTokens.KubeconfigAsync(
                folder, where, name, parsed.GetRequiredValue(group), TimeSpan.FromDays(parsed.GetValue(days)), TimeProvider.System, cancellationToken));
            return 0;
        });
        return command;
    }
}
